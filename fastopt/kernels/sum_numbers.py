"""Where the numbers of a finite sum stand in ``q``: a head, the labels, and then the rows.

The head is the number of rows, in two digits that float32 holds exactly too, and l2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_HEAD = 3
_DIGIT = 22

LARGEST = 1 << 31
"""Fewer rows than this."""
COLUMNS = 1 << 24
"""No more columns than this: float32 holds their numbers exactly."""


def digits(numbers: NDArray[np.int64] | int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Whole numbers below 2**44 as two digits each, the lower one first."""
    array = np.asarray(numbers, np.int64)
    return array & ((1 << _DIGIT) - 1), array >> _DIGIT


def whole(low, high):
    """The number that two digits make."""
    return int(low) | int(high) << _DIGIT


def row_count(q):
    """How many rows there are."""
    return whole(q[0], q[1])


def penalty(q):
    """l2."""
    return q[2]


def label(q, i):
    """The label of row *i*."""
    return q[_HEAD + i]


def first_row(q):
    """Where the rows begin."""
    return _HEAD + row_count(q)
