"""Runs that neither converge nor diverge: those that go round a cycle, and those at rest.

A cycle is looked for in the last iterates of a run: it has period k if they repeat after k
steps, and after no fewer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Two rounds of a cycle are the same where they differ by this share of its size.
_SAME = 1e-6


class Rounds(NamedTuple):
    """What the last iterates of some runs show."""

    size: NDArray[np.float64]
    """The widest extent of the iterates of each, over all coordinates."""
    period: NDArray[np.int64]
    """The period of each; 0 where none was found."""


def find(trajectory: NDArray[np.float64], smallest: float) -> Rounds:
    """The cycles in the last iterates (2 * longest + 1, n, dim) of n runs.

    Cycles smaller than *smallest* in every coordinate are not looked for.
    """
    count, n, _ = trajectory.shape
    longest = (count - 1) // 2
    size = np.ptp(trajectory, axis=0).max(axis=-1)
    period = np.zeros(n, np.int64)
    left = np.flatnonzero((size > smallest) & np.isfinite(size))
    last = trajectory[-1]
    for k in range(2, longest + 1):
        if not len(left):
            break
        near = np.abs(trajectory[-1 - k, left] - last[left]).max(axis=-1) <= _SAME * size[left]
        some = left[near]
        apart = np.abs(trajectory[-k:, some] - trajectory[-2 * k : -k, some]).max(axis=(0, 2))
        found = some[apart <= _SAME * size[some]]
        period[found] = k
        left = left[period[left] == 0]
    return Rounds(size, period)


def orbits(trajectory: NDArray[np.float64], which: NDArray[np.int64], period: int) -> NDArray:
    """The points (n, period, dim) of cycles, each from its first in lexicographic order."""
    turns = trajectory[-period:, which].swapaxes(0, 1)
    is_first = np.ones(turns.shape[:2], np.bool_)
    for x in np.moveaxis(turns, -1, 0):
        least = np.where(is_first, x, np.inf).min(axis=1)
        is_first &= x == least[:, None]
    order = (is_first.argmax(axis=1)[:, None] + np.arange(period)) % period
    ordered: NDArray[np.float64] = np.take_along_axis(turns, order[:, :, None], axis=1)
    return ordered
