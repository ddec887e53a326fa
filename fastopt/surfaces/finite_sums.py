"""What a finite sum is, and how to add one."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import Floats, real
from fastopt.kernels.finite_sums import SCRATCH, SumFunctions, sum_functions
from fastopt.kernels.parts import KernelFunction, SurfaceParts
from fastopt.kernels.sum_numbers import COLUMNS, LARGEST, digits
from fastopt.surfaces.base import Surface

AFFORDABLE = 10**9
"""Beyond so many multiply-adds, seconds, no minimum is looked for when a surface is made."""

# Multiply-adds that take as long as a coordinate of an ordinary surface.
_PER_COORDINATE = 4


class FiniteSum(Surface):
    """A mean of losses over the rows of a matrix, with a ridge.

    .. math:: f(x) = \\frac1N \\sum_{i=1}^N \\ell(a_i^\\top x, y_i) + \\frac{l_2}2 \\|x\\|^2

    The rows a_i are those of a matrix A (N, dim), dense or sparse; sparse ones stay so. All
    stochastic gradients of ``fo.noise.minibatch`` are made of them.

    Adding one is adding a subclass with a ``name``, whose constructor calls this one and sets
    what it knows, such as ``minima``. It defines, as plain functions of two numbers that numba
    compiles, z = a_i'x and the label y of the row,

    ``loss(z, y)``, ``slope(z, y)``, ``curvature(z, y)``
        The loss of a row, and its first and second derivative by z.

    Parameters
    ----------
    A : array_like or scipy.sparse array or matrix, shape (N, dim)
        Finite real numbers. A sparse one of any format is converted to compressed rows, sorted
        and without duplicates.
    labels : array_like, shape (N,)
        y.
    l2 : float, default 0.0
        The ridge's factor, >= 0, in units of f/x².

    Attributes
    ----------
    A : numpy.ndarray or scipy.sparse.csr_array, shape (N, dim)
        float64, read-only.
    labels : numpy.ndarray, shape (N,)
    l2 : float
    rows : int
        N.
    coefficients : numpy.ndarray, shape (dim,), or None
        Those that generated the labels, where they are known.
    sparse : bool
    row_work : int
        What the gradient of one row costs, on average, in coordinates of an ordinary surface.
    """

    A: Any
    labels: Floats
    l2: float
    rows: int
    sparse: bool
    coefficients: Floats | None = None
    loss: ClassVar[KernelFunction]
    slope: ClassVar[KernelFunction]
    curvature: ClassVar[KernelFunction]

    def __init__(self, A: Any, labels: Floats, l2: float = 0.0):
        owner = type(self).__name__
        self.l2 = real(owner, "l2", l2, 0.0)
        self.sparse = hasattr(A, "tocsr")
        self.A = _sparse_rows(owner, A) if self.sparse else _dense_rows(owner, A)
        self.rows, dim = self.A.shape
        if len(labels) != self.rows:
            raise ValueError(
                f"A has {self.rows} rows and there are {len(labels)} labels: must be one for each "
                f"({owner})"
            )
        self.labels = labels
        self.labels.flags.writeable = False
        super().__init__(dim, [-1.0, 1.0])

    def _set_known(self, minimizer: Floats | None, fun_min: float) -> None:
        """Set bounds around the origin, where regressions start, and what is known of them."""
        known = np.zeros((0, self.dim)) if minimizer is None else minimizer[None]
        reach = max(10.0, 2 * float(np.abs(known).max(initial=0.0)))
        super().__init__(self.dim, [-reach, reach], known, fun_min, usual_start=0.0)

    @property
    def entries(self) -> int:
        """How many numbers the rows have."""
        return self.A.nnz if self.sparse else self.A.size

    @property
    def row_work(self) -> int:
        return 1 + 2 * self.entries // (_PER_COORDINATE * self.rows)

    @property
    def numbers(self) -> NDArray[np.float64]:
        head = [*digits(self.rows), self.l2]
        if not self.sparse:
            return np.concatenate([head, self.labels, self.A.ravel()])
        pairs = np.stack([self.A.indices, self.A.data], axis=1)
        return np.concatenate([head, self.labels, *digits(self.A.indptr), pairs.ravel()])

    def _functions(self) -> SumFunctions:
        cls = type(self)
        return sum_functions(self.sparse, cls.loss, cls.slope, cls.curvature)

    def parts(self) -> SurfaceParts:
        functions = self._functions()
        return SurfaceParts(
            label=f"{self.name}-sparse" if self.sparse else self.name,
            source=type(self),
            value=functions.value,
            gradient=functions.gradient,
            dim=0,
            scratch=SCRATCH,
            hessian=functions.hessian,
            rows=functions.rows,
            work=self.row_work * self.rows,
        )

    def __repr__(self) -> str:
        ridge = f", l2={self.l2!r}" if self.l2 else ""
        kind = "sparse " if self.sparse else ""
        return f"{type(self).__name__}(<{kind}{self.rows} x {self.dim}>{ridge})"


def vector(owner: str, name: str, value: ArrayLike) -> Floats:
    """*value* as a new vector of finite numbers."""
    array = _real_array(owner, name, value)
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}: must be a vector, (rows,) ({owner})")
    _check_finite(owner, name, array)
    return array


def _dense_rows(owner: str, value: ArrayLike) -> Floats:
    array = np.ascontiguousarray(_real_array(owner, "A", value))
    _check_shape(owner, array)
    _check_finite(owner, "A", array)
    array.flags.writeable = False
    return array


def _sparse_rows(owner: str, value: Any) -> Any:
    import scipy.sparse

    if value.dtype.kind not in "fiub":
        raise TypeError(f"A has dtype {value.dtype}: must be real numbers ({owner})")
    _check_shape(owner, value)
    rows = scipy.sparse.csr_array(value, dtype=np.float64, copy=True)
    rows.sum_duplicates()
    if rows.shape[1] > COLUMNS:
        raise ValueError(f"A has {rows.shape[1]} columns: must be <= {COLUMNS:,} ({owner})")
    _check_finite(owner, "A", rows.data)
    for array in (rows.data, rows.indices, rows.indptr):
        array.flags.writeable = False
    return rows


def _real_array(owner: str, name: str, value: ArrayLike) -> Floats:
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name}: {error} ({owner})") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} has dtype {array.dtype}: must be real numbers ({owner})")
    return np.array(array, np.float64)


def _check_shape(owner: str, array: Any) -> None:
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"A has shape {array.shape}: must be (rows, dim), neither 0 ({owner})")
    if array.shape[0] >= LARGEST:
        raise ValueError(f"A has {array.shape[0]} rows: must be < {LARGEST:,} ({owner})")


def _check_finite(owner: str, name: str, array: Floats) -> None:
    finite = np.isfinite(array)
    if not finite.all():
        first = array.ravel()[np.argmin(finite)]
        raise ValueError(
            f"{name} holds {first} ({(~finite).sum():,} of {array.size:,} numbers are nan or inf): "
            f"must be finite; drop or fill those rows ({owner})"
        )
