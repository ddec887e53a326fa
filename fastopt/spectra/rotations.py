"""Random rotations, and those of given eigenvectors, applied without their matrices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fastopt.checks import Floats, whole
from fastopt.kernels.rotations import LANES, build_turn
from fastopt.spectra.base import check_generator


@dataclass(frozen=True, eq=False)
class Rotation:
    """An orthogonal matrix Q, as a product of reflections and signs.

    .. math:: Q = (I - v_1 v_1') \\cdots (I - v_n v_n') D

    where v_k is 0 before coordinate k and has the squared norm 2 (or is 0), and D is diagonal
    with entries 1 and -1. Applying it to a point takes 2 dim² multiply-adds, and no point's
    result depends on the others.

    Attributes
    ----------
    dim : int
        Number of coordinates.
    numbers : numpy.ndarray, shape (dim (dim + 1) / 2 + dim,)
        The v_k from coordinate k on, one after the other; then the diagonal of D.
    """

    dim: int
    numbers: Floats

    @staticmethod
    def random(dim: int, rng: np.random.Generator) -> Rotation:
        """A rotation of Haar's distribution; see :func:`haar`."""
        normal = rng.standard_normal(dim * (dim + 1) // 2)
        ends = np.arange(dim, 0, -1)
        starts = np.concatenate([[0], np.cumsum(ends)[:-1]])
        first = normal[starts]
        norms = np.sqrt(np.add.reduceat(normal * normal, starts))
        # (x + sign(x_1) |x| e_1)' (...) = 2 |x| (|x| + |x_1|), and v has the squared norm 2.
        normal[starts] += np.copysign(norms, first)
        scales = np.sqrt(norms * (norms + np.abs(first)))
        normal /= np.repeat(scales, ends)
        # The last is a reflection of one coordinate: a sign.
        normal[-1] = 0.0
        signs = np.copysign(1.0, -first)
        signs[-1] = -signs[-1]
        return Rotation(dim, np.concatenate([normal, signs]))

    @staticmethod
    def of(matrix: Floats) -> Rotation:
        """The rotation with this orthogonal matrix, shape (dim, dim)."""
        packed, tau = np.linalg.qr(matrix, mode="raw")  # the transpose of LAPACK's
        dim = len(matrix)
        vectors = [
            np.sqrt(tau[k]) * np.concatenate([[1.0], packed[k, k + 1 :]]) for k in range(dim)
        ]
        signs = np.copysign(1.0, np.diagonal(packed))
        return Rotation(dim, np.concatenate([*vectors, signs]))

    def turn(self, points: Floats, back: bool = False) -> Floats:
        """Q x of each point, or Q' x.

        Parameters
        ----------
        points : numpy.ndarray, shape (n, dim)
        back : bool, default False
            Whether to apply the transpose.

        Returns
        -------
        numpy.ndarray, shape (n, dim)
        """
        return turned(self.numbers[None], np.array([0, len(points)]), points, back)

    def matrix(self) -> Floats:
        """Q itself, shape (dim, dim)."""
        return np.ascontiguousarray(self.turn(np.eye(self.dim)).T)

    def dense(self, eigenvalues: Floats) -> Floats:
        """Q diag(eigenvalues) Q', shape (dim, dim), symmetric to the last bit."""
        matrix = self.turn(self.turn(np.eye(self.dim), back=True) * eigenvalues)
        return (matrix + matrix.T) / 2


def turned(rotations: Floats, ends: NDArray[np.int64], points: Floats, back: bool) -> Floats:
    """The points turned by one rotation after the other.

    Parameters
    ----------
    rotations : numpy.ndarray, shape (m, dim (dim + 1) / 2 + dim)
        The numbers of each.
    ends : numpy.ndarray, shape (m + 1,)
        The k-th is that of the points ``ends[k]`` to ``ends[k + 1] - 1``.
    points : numpy.ndarray, shape (n, dim)
    back : bool
        Whether to apply the transposes.
    """
    result = np.array(points, np.float64, order="C")
    tile = np.empty((result.shape[1], LANES))
    build_turn().call(rotations, ends, result, tile, back)
    return result


def haar(dim: int, rng: np.random.Generator) -> Floats:
    """A random orthogonal matrix: any rotation, or rotation and reflection, as likely.

    A product of reflections along normal vectors of ever fewer coordinates, Stewart (1980)
    [1]_, which is the Q of the QR decomposition of a normal matrix; with the signs that make the
    diagonal of R positive, for without them it would not have Haar's distribution, Mezzadri
    (2007) [2]_.

    Parameters
    ----------
    dim : int
        Number of rows, at least 1.
    rng : numpy.random.Generator
        See :func:`member_rng`.

    Returns
    -------
    numpy.ndarray, shape (dim, dim)

    Raises
    ------
    TypeError, ValueError
        *dim* or *rng* is not what it must be.

    References
    ----------
    .. [1] G. W. Stewart, "The efficient generation of random orthogonal matrices with an
       application to condition estimators", SIAM J. Numer. Anal. 17(3), 403-409, 1980.
    .. [2] F. Mezzadri, "How to generate random matrices from the classical compact groups",
       Notices AMS 54(5), 592-604, 2007, arXiv:math-ph/0609050.

    Examples
    --------
    >>> import numpy as np
    >>> import fastopt as fo
    >>> q = fo.spectra.haar(3, fo.spectra.member_rng(seed=0, i=0))
    >>> np.allclose(q.T @ q, np.eye(3))
    True
    """
    dim = whole("haar", "dim", dim, 1)
    check_generator("haar", rng)
    return Rotation.random(dim, rng).matrix()
