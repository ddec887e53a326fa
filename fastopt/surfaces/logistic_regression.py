"""Logistic regression."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastopt.checks import Floats
from fastopt.kernels.elementary import exp, log
from fastopt.spectra import Spectrum
from fastopt.surfaces.finite_sums import AFFORDABLE, FiniteSum, vector
from fastopt.surfaces.generated_data import GeneratedData

# A step of Newton's that is as small, relative to 1 + |x|, is followed by one of its square.
_NEAR = 1e-6
# Where the classes can be separated each step is as long as the last.
_MOST_NEWTON_STEPS = 50


class LogisticRegression(FiniteSum):
    """Logistic regression of two classes, with a ridge if l2 > 0.

    .. math:: f(x) = \\frac1N \\sum_i \\log(1 + e^{-y_i a_i^\\top x}) + \\frac{l_2}2 \\|x\\|^2

    with y_i = ±1. The minimiser is found by Newton's method when the surface is made, if that
    takes seconds, rows times dim² at most 10^9. There is none where l2 is 0 and a hyperplane
    separates the classes: ``minima`` is then empty and ``fun_min`` nan, as where it was not
    looked for.

    Parameters
    ----------
    A : array_like or scipy.sparse array or matrix, shape (N, dim)
        Finite real numbers; sparse ones of any format, which stay sparse. There is no intercept
        but a column of ones.
    y : array_like, shape (N,)
        Labels: 0 and 1, or -1 and 1.
    l2 : float, default 0.0
        The ridge's factor, >= 0, in units of f/x².

    Raises
    ------
    TypeError, ValueError
        An argument is of another kind or shape, or holds nan or inf; labels are other than 0
        and 1, or -1 and 1; l2 is negative.

    Examples
    --------
    >>> import fastopt as fo
    >>> surface = fo.LogisticRegression([[1.0], [2.0], [-1.0]], [1, 0, 0], l2=0.1)
    >>> round(surface.value([0.0]), 6)  # log(2)
    0.693147
    """

    name = "logistic_regression"

    def __init__(self, A: Any, y: ArrayLike, l2: float = 0.0):
        super().__init__(A, _signs(y), l2)
        self.convex = True
        self.strong_convexity = self.l2
        self._set_known(None, math.nan)
        if self.rows * self.dim**2 <= AFFORDABLE:
            dense = self.A.toarray() if self.sparse else self.A
            self.lipschitz = float(np.linalg.norm(dense, 2)) ** 2 / (4 * self.rows) + self.l2
            found = self._newton(dense)
            if found is not None:
                self._set_known(found, self._exact_value(dense @ found, found))

    @property
    def y(self) -> Floats:
        """The labels, -1 or 1, (N,)."""
        return self.labels

    @classmethod
    def random(
        cls,
        rows: int,
        dim: int,
        spectrum: Spectrum | None = None,
        coefficients: ArrayLike | None = None,
        l2: float = 0.0,
        seed: int = 0,
    ) -> LogisticRegression:
        """Generated data of the logistic model, with a given spectrum of A'A/N.

        The label of row a is 1 with the probability 1 / (1 + exp(-a'x)).

        Parameters
        ----------
        rows, dim : int
            N and the number of coordinates.
        spectrum : Spectrum, optional
            Draws the eigenvalues of A'A/N, which are then exactly these; needs N >= dim. The
            singular vectors are uniformly distributed. By default the entries of A are
            independent standard normal numbers.
        coefficients : array_like, shape (dim,), optional
            x; by default standard normal numbers. Kept as ``coefficients``. The larger they
            are, the fewer rows are on the wrong side.
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
        >>> import fastopt as fo
        >>> surface = fo.LogisticRegression.random(rows=500, dim=3, l2=0.01, seed=1)
        >>> runs = fo.run(fo.GradientDescent(1.0), surface, [[0.0, 0.0, 0.0]])
        >>> bool(runs.success), bool(abs(runs.x - surface.minima).max() < 1e-6)
        (True, True)
        """
        data = GeneratedData(cls.__name__, rows, dim, spectrum, coefficients, seed)
        odds = np.exp(-np.logaddexp(0.0, -data.products))
        surface = cls(data.A, data.rng.random(len(odds)) < odds, l2)
        surface.coefficients = data.coefficients
        return surface

    # Of the margin m = y z: exp(-|m|) overflows nowhere.

    @staticmethod
    def loss(z, y):
        margin = y * z
        e = exp(-math.fabs(margin))
        u = 1.0 + e
        # log(1 + e), with what rounding u lost.
        rest = log(u) + (e - (u - 1.0)) / u
        return rest - margin if margin < 0.0 else rest

    @staticmethod
    def slope(z, y):
        margin = y * z
        e = exp(-math.fabs(margin))
        return (-y if margin < 0.0 else -y * e) / (1.0 + e)

    @staticmethod
    def curvature(z, y):
        e = exp(-math.fabs(z))
        return e / ((1.0 + e) * (1.0 + e))

    def _exact_value(self, products: Floats, x: Floats) -> float:
        losses = np.logaddexp(0.0, -self.y * products)
        return math.fsum(losses) / self.rows + self.l2 / 2 * float(x @ x)

    def _newton(self, A: Floats) -> Floats | None:
        """The minimiser, by damped Newton steps until they no longer shrink; None if none."""
        x, last = np.zeros(self.dim), math.inf
        for _ in range(_MOST_NEWTON_STEPS):
            step = self._newton_step(A, x)
            if step is None:
                return None
            size = float(np.abs(step).max())
            near = size <= _NEAR * (1.0 + np.abs(x).max())
            if near and size >= last / 2:  # only rounding is left
                return x
            x = x - (step if near else self._damped(A, x, step))
            last = size if near else math.inf
        return None

    def _newton_step(self, A: Floats, x: Floats) -> Floats | None:
        margins = self.y * (A @ x)
        wrong = np.exp(-np.logaddexp(0.0, margins))
        gradient = self.l2 * x - A.T @ (self.y * wrong) / self.rows
        weights = wrong * np.exp(-np.logaddexp(0.0, -margins))
        hessian = A.T @ (weights[:, None] * A) / self.rows + self.l2 * np.eye(self.dim)
        eigenvalues, vectors = np.linalg.eigh(hessian)
        if not eigenvalues[0] > self.dim * np.finfo(float).eps * eigenvalues[-1]:
            return None
        return vectors @ (vectors.T @ gradient / eigenvalues)

    def _damped(self, A: Floats, x: Floats, step: Floats) -> Floats:
        """The step, halved until it leads down."""
        here = self._exact_value(A @ x, x)
        while not self._exact_value(A @ (x - step), x - step) < here and np.abs(step).max() > _NEAR:
            step = step / 2
        return step


def _signs(y: ArrayLike) -> Floats:
    """Labels 0 and 1, or -1 and 1, as -1 and 1."""
    labels = vector("LogisticRegression", "y", y)
    found = np.unique(labels)
    if not (np.isin(found, (0, 1)).all() or np.isin(found, (-1, 1)).all()):
        some = ", ".join(f"{label:g}" for label in found[:6]) + (", ..." if len(found) > 6 else "")
        raise ValueError(
            f"y holds the labels {some}: must be 0 and 1, or -1 and 1; y == label makes two "
            "classes of several (LogisticRegression)"
        )
    return np.where(labels == 1, 1.0, -1.0)
