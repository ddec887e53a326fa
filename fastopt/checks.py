"""Checks of arguments that several modules make; each error names value and requirement."""

from __future__ import annotations

import operator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats: TypeAlias = NDArray[np.float64]


def whole(owner: str, name: str, value: Any, least: int, most: int | None = None) -> int:
    """*value* as an int of at least *least* and at most *most*."""
    try:
        if isinstance(value, bool | np.bool_):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r}: must be a whole number ({owner})") from None
    if number < least:
        raise ValueError(f"{name}={number}: must be >= {least} ({owner})")
    if most is not None and number > most:
        raise ValueError(f"{name}={number}: must be <= {most:,} ({owner})")
    return number


def coordinates(owner: str, dim: int | None, **values: ArrayLike) -> list[Floats]:
    """Each of *values* as a new array (dim,) of numbers that no sum of two overflows."""
    arrays = {}
    for name, value in values.items():
        try:
            arrays[name] = np.asarray(value)
        except ValueError:  # lists of different lengths
            arrays[name] = np.asarray(None)
        if arrays[name].dtype.kind not in "fiu":
            raise TypeError(f"{name}={value!r}: must be a number or an array of numbers ({owner})")
    shape = None if dim is None else (whole(owner, "dim", dim, 1),)
    try:
        (count,) = shape or np.broadcast_shapes((1,), *(a.shape for a in arrays.values()))
        full = {n: np.array(np.broadcast_to(a, count), np.float64) for n, a in arrays.items()}
        if count == 0:
            raise ValueError
    except ValueError:
        shapes = ", ".join(f"{name} has shape {a.shape}" for name, a in arrays.items())
        goal = "(dim,)" if dim is None else f"({dim},)"
        raise ValueError(f"{shapes}: must broadcast to {goal} ({owner})") from None
    for name, array in full.items():
        good = np.abs(array) <= 1e300
        check_each(owner, good, "must be finite, and at most 1e300 in magnitude", **{name: array})
    return list(full.values())


def check_each(owner: str, holds: NDArray[Any], requirement: str, **values: NDArray[Any]) -> None:
    """Raise for the first coordinate at which *holds* is False, with its *values*."""
    if not holds.all():
        k = int(np.argmin(holds))
        found = [
            f"{name}[{k}]={array[k]}" if np.unique(array).size > 1 else f"{name}={array[k]}"
            for name, array in values.items()
        ]
        raise ValueError(f"{', '.join(found)}: {requirement} ({owner})")


def real(owner: str, name: str, value: Any, least: float, inclusive: bool = True) -> float:
    """*value* as a finite float of at least, or if not *inclusive* more than, *least*."""
    number = np.asarray(value)
    if number.ndim or number.dtype.kind not in "fiu":
        raise TypeError(f"{name}={value!r}: must be a number ({owner})")
    if not (np.isfinite(number) and (number >= least if inclusive else number > least)):
        sense = ">=" if inclusive else ">"
        raise ValueError(f"{name}={value}: must be finite and {sense} {least:g} ({owner})")
    return float(number)


def real_array(owner: str, name: str, value: ArrayLike) -> Floats:
    """*value* as a new array of finite floats, of any shape."""
    try:
        array = np.array(value)
    except ValueError:  # lists of different lengths
        raise ValueError(f"{name} is ragged: all rows must be of one length ({owner})") from None
    if array.dtype.kind not in "fiu":
        hint = "; a sparse one must be made dense, .toarray()" if hasattr(value, "toarray") else ""
        raise TypeError(f"{name} has dtype {array.dtype}: must be real numbers{hint} ({owner})")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} holds nan or inf: all entries must be finite ({owner})")
    return array.astype(np.float64)


def square_matrix(owner: str, name: str, value: ArrayLike, size: int | None = None) -> Floats:
    """*value* as a new matrix of finite numbers, (size, size) if a size is given."""
    array = real_array(owner, name, value)
    rows = (array.shape[0] if array.ndim else 0) if size is None else size
    if array.shape != (rows, rows) or not rows:
        wanted = "square" if size is None else f"square, ({size}, {size})"
        raise ValueError(f"{name} has shape {array.shape}: must be {wanted} ({owner})")
    return array


def symmetric_matrix(owner: str, name: str, value: ArrayLike) -> Floats:
    """*value* as a new symmetric matrix of finite numbers, made so to the last bit."""
    array = square_matrix(owner, name, value)
    asymmetry = np.abs(array - array.T).max()
    # One that was made as Q diag(l) Q' is symmetric only to rounding.
    if asymmetry > 1e-12 * np.abs(array).max():
        raise ValueError(
            f"{name} differs from its transpose by {asymmetry:.3g}: must be symmetric; "
            f"(A + A.T) / 2 gives the same values of x' A x ({owner})"
        )
    return (array + array.T) / 2
