"""Quadratic surfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import Floats, real_array, symmetric_matrix
from fastopt.kernels.parts import SurfaceParts
from fastopt.spectra.rotations import Rotation
from fastopt.surfaces.base import MOST_FUSED, Surface
from fastopt.surfaces.quadratic_kernels import matrix_parts
from fastopt.surfaces.quadratic_ways import Member, Members, choose
from fastopt.surfaces.ways import Way

if TYPE_CHECKING:
    from fastopt.noise import Noise
    from fastopt.rules import Rule

# In fewer coordinates a given matrix costs little, and its eigenvectors bring roundings of
# their own; those of an ensemble are known exactly.
_LEAST_TURNED = 16


class Quadratic(Surface):
    """A quadratic with a given symmetric matrix.

    .. math:: f(x) = \\tfrac12 (x - m)^\\top A (x - m), \\quad \\nabla f = A (x - m)

    Where A is positive definite, the minimum is 0 at m. Where it is not, there is none (an
    eigenvalue below 0) or not just one; ``minima`` is then empty and ``fun_min`` is nan, or
    0 where A is positive semidefinite. An eigenvalue of A within dim eps of 0, in units of the
    largest, is taken for 0, which it is to the rounding of A.

    Parameters
    ----------
    matrix : array_like, shape (dim, dim)
        A, symmetric.
    minimizer : array_like, shape (dim,), optional
        m; the origin by default.

    Attributes
    ----------
    eigenvalues : numpy.ndarray, shape (dim,)
        Those of A, ascending, in units of f/x².
    condition : float
        The largest over the least; inf where that is not > 0.

    Raises
    ------
    TypeError, ValueError
        The matrix is not square, not symmetric or not finite, or *minimizer* is not a finite
        vector of its size.

    Notes
    -----
    From 16 coordinates on, rules that commute with rotations run in the eigenbasis of A
    (``path="eigenbasis"`` of :func:`fastopt.run`), where a step costs dim and not dim². The
    eigenvectors are LAPACK's, whose last bits may differ from machine to machine;
    ``path="shared"`` has the same bits on all of them.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Quadratic([[2.0, 1.0], [1.0, 4.0]]).gradient([1.0, 0.0])
    array([2., 1.])
    """

    name = "quadratic"

    def __init__(self, matrix: ArrayLike, minimizer: ArrayLike | None = None):
        self.matrix = symmetric_matrix("Quadratic", "matrix", matrix)
        dim = len(self.matrix)
        given = [0.0] * dim if minimizer is None else minimizer
        centre = real_array("Quadratic", "minimizer", given)
        if centre.shape != (dim,):
            raise ValueError(
                f"minimizer has shape {centre.shape}: must be ({dim},), for a matrix of shape "
                f"{self.matrix.shape} (Quadratic)"
            )
        self._become(_decomposed(self.matrix, centre), _LEAST_TURNED)

    @classmethod
    def of_member(cls, member: Member) -> Quadratic:
        """One member of an ensemble."""
        surface = cls.__new__(cls)
        surface.matrix = member.matrix
        surface._become(member, MOST_FUSED + 1)
        return surface

    def _become(self, member: Member, least_turned: int) -> None:
        self._member, self.minimizer = member, member.minimizer
        self._least_turned = least_turned
        self.eigenvalues = np.sort(member.eigenvalues)
        least, most = float(self.eigenvalues[0]), float(self.eigenvalues[-1])
        self.condition = most / least if least > 0 else float("inf")
        super().__init__(
            len(self.matrix),
            self.minimizer[:, None] + [-10.0, 10.0],
            member.minima,
            0.0 if least >= 0 else float("nan"),
        )
        self.convex = least >= 0
        self.strong_convexity = max(least, 0.0)
        self.lipschitz = max(most, -least)
        for array in (self.matrix, self.minimizer, self.eigenvalues):
            array.flags.writeable = False

    @property
    def root(self) -> NDArray[np.float64]:
        """The symmetric square root of A, which must be positive semidefinite."""
        return self._member.root

    @property
    def numbers(self) -> NDArray[np.float64]:
        return self._member.dense_numbers

    def parts(self) -> SurfaceParts:
        return matrix_parts(self.dim, own=False)

    def way(self, path: str | None, rule: Rule, noise: Noise | None, each: int) -> Way:
        axis = self._member.rotation is None
        members = Members(1, lambda i: self._member)
        return choose(self, members, axis, self._least_turned, path, rule, noise, each)

    def __repr__(self) -> str:
        return f"Quadratic(<matrix {self.matrix.shape}>)"


def _decomposed(matrix: Floats, minimizer: Floats) -> Member:
    """With the eigenvalues and eigenvectors of the matrix."""
    diagonal = np.diagonal(matrix)
    if np.array_equal(matrix, np.diag(diagonal)):
        member = Member(diagonal, None, minimizer)
    else:
        eigenvalues, vectors = np.linalg.eigh(matrix)
        # Those of A'A, or of a projection, would otherwise make no minimum of a whole plane.
        small = len(matrix) * np.finfo(np.float64).eps * np.abs(eigenvalues).max()
        eigenvalues[np.abs(eigenvalues) <= small] = 0.0
        member = Member(eigenvalues, Rotation.of(vectors), minimizer)
    member.matrix = matrix
    return member
