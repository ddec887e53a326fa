"""Linear least squares."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import Floats, real
from fastopt.kernels.normal_matrix import normal_functions, scratch_rows
from fastopt.kernels.parts import SurfaceParts
from fastopt.kernels.products import VECTORS
from fastopt.spectra import Spectrum
from fastopt.surfaces.finite_sums import AFFORDABLE, FiniteSum, vector
from fastopt.surfaces.generated_data import GeneratedData


class LeastSquares(FiniteSum):
    """Linear least squares, with a ridge if l2 > 0.

    .. math:: f(x) = \\frac1{2N} \\|A x - b\\|^2 + \\frac{l_2}2 \\|x\\|^2

    The minimum is known, and the minimiser where it is the only one, if finding them takes
    seconds: rows times dim times the smaller of the two at most 10^9, or dim² at most the
    number of entries; otherwise ``minima`` is empty and ``fun_min`` nan.

    Parameters
    ----------
    A : array_like or scipy.sparse array or matrix, shape (N, dim)
        Finite real numbers; sparse ones of any format, which stay sparse.
    b : array_like, shape (N,)
        Finite real numbers.
    l2 : float, default 0.0
        The ridge's factor, >= 0, in units of f/x².

    Raises
    ------
    TypeError, ValueError
        An argument is of another kind or shape, or holds nan or inf; l2 is negative.

    Notes
    -----
    Where dim² is at most the number of entries of A (of nonzeros, of a sparse one), value and
    full gradient are worked out by the normal matrix H = A'A/N + l2 I, as f(m) + (x - m)' H
    (x - m) / 2 and H (x - m) with the minimiser m: dim² multiply-adds instead of twice the
    entries. Otherwise they are sums over the rows. Mini-batches always take their rows.

    Examples
    --------
    >>> import fastopt as fo
    >>> line = fo.LeastSquares([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [1.0, 3.0, 5.0])
    >>> line.minima.round(12)
    array([[1., 2.]])
    """

    name = "least_squares"

    def __init__(self, A: Any, b: ArrayLike, l2: float = 0.0):
        super().__init__(A, vector("LeastSquares", "b", b), l2)
        self.convex = True
        self.strong_convexity = self.l2
        self._by_matrix = self.dim * self.dim <= self.entries
        if self._by_matrix:
            self._solve_normal_equations()
        elif self.rows * self.dim * min(self.rows, self.dim) <= AFFORDABLE:
            self._solve(self.A.toarray() if self.sparse else self.A)
        else:
            self._set_known(None, math.nan)

    @property
    def b(self) -> Floats:
        """The right-hand side, (N,)."""
        return self.labels

    @classmethod
    def random(
        cls,
        rows: int,
        dim: int,
        spectrum: Spectrum | None = None,
        noise_std: float = 0.1,
        coefficients: ArrayLike | None = None,
        l2: float = 0.0,
        seed: int = 0,
    ) -> LeastSquares:
        """Generated data, b = A x + noise, with a given spectrum of A'A/N.

        Parameters
        ----------
        rows, dim : int
            N and the number of coordinates.
        spectrum : Spectrum, optional
            Draws the eigenvalues of A'A/N, which are then exactly these; needs N >= dim. The
            singular vectors are uniformly distributed. By default the entries of A are
            independent standard normal numbers.
        noise_std : float, default 0.1
            Standard deviation >= 0 of the normal noise in b.
        coefficients : array_like, shape (dim,), optional
            The x of b = A x; by default standard normal numbers. Kept as ``coefficients``.
        l2 : float, default 0.0
            As for the class.
        seed : int, default 0
            0 to 2^64 - 1.

        Raises
        ------
        TypeError, ValueError
            An argument is out of its range, or the spectrum drew an eigenvalue below 0.

        Examples
        --------
        >>> import numpy as np
        >>> import fastopt as fo
        >>> two = fo.spectra.two_cluster(condition=100.0)
        >>> surface = fo.LeastSquares.random(rows=1000, dim=4, spectrum=two)
        >>> bool(np.isclose(surface.strong_convexity, 0.01))
        True
        """
        data = GeneratedData(cls.__name__, rows, dim, spectrum, coefficients, seed)
        noise_std = real(cls.__name__, "noise_std", noise_std, 0.0)
        b = data.products + noise_std * data.rng.standard_normal(len(data.products))
        surface = cls(data.A, b, l2)
        surface.coefficients = data.coefficients
        return surface

    @staticmethod
    def loss(z, y):
        return 0.5 * ((z - y) * (z - y))

    @staticmethod
    def slope(z, y):
        return z - y

    @staticmethod
    def curvature(z, y):
        return 1.0

    def _solve(self, A: Floats) -> None:
        """Find the minimiser by the singular values of A, above which l2 puts a root of its own."""
        ridge = math.sqrt(self.l2 * self.rows) * np.eye(self.dim)
        above = np.concatenate([A, ridge]) if self.l2 else A
        goal = np.concatenate([self.b, np.zeros(len(above) - self.rows)])
        solution, _, rank, singular = np.linalg.lstsq(above, goal, rcond=None)
        self._know(solution, singular**2 / self.rows, unique=rank == self.dim)

    def _solve_normal_equations(self) -> None:
        gram = self.A.T @ self.A
        self._matrix = (gram.toarray() if self.sparse else gram) / self.rows
        self._matrix += self.l2 * np.eye(self.dim)
        off = self._matrix - np.diag(np.diagonal(self._matrix))
        self.separable = not off.any()
        if self.rows * self.dim * self.dim <= AFFORDABLE:
            self._solve(self.A.toarray() if self.sparse else self.A)
            return
        eigenvalues, vectors = np.linalg.eigh(self._matrix)
        used = eigenvalues > self.dim * np.finfo(float).eps * eigenvalues[-1]
        inside = vectors[:, used]
        slope = self.A.T @ self.b / self.rows
        solution = inside @ (inside.T @ slope / eigenvalues[used])
        self._know(solution, eigenvalues[::-1], unique=bool(used.all()))

    def _know(self, solution: Floats, eigenvalues: Floats, unique: bool) -> None:
        """Keep what was found: a minimiser, and the eigenvalues of H, the largest first."""
        losses = (self.A @ solution - self.b) ** 2
        self._solution = solution
        fun_min = math.fsum(losses) / (2 * self.rows) + self.l2 / 2 * float(solution @ solution)
        self.lipschitz = float(eigenvalues[0])
        if unique:
            self.strong_convexity = max(float(eigenvalues[-1]), self.l2)
        self._set_known(solution if unique else None, fun_min)

    @property
    def numbers(self) -> NDArray[np.float64]:
        data = super().numbers
        if not self._by_matrix:
            return data
        return np.concatenate([data, [self.fun_min], self._solution, self._matrix.ravel()])

    def parts(self) -> SurfaceParts:
        parts = super().parts()
        if not self._by_matrix:
            return parts
        value, gradient, hessian = normal_functions(self.sparse)
        return SurfaceParts(
            label=f"{parts.label}-normal",
            source=LeastSquares,
            value=value,
            gradient=gradient,
            dim=0,
            scratch=scratch_rows(self.dim),
            hessian=hessian,
            vectors=VECTORS,
            rows=parts.rows,
            work=self.dim * self.dim // 4,
        )
