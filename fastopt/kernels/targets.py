"""The first steps at which the values of runs come down to targets.

A block that watches for targets leaves the least value so far of each step in the tile's rows
``history``. What it saw is kept at once, before the driver knows where the runs end: the steps
after a run's end are taken back. So runs that are rewound need not be watched again.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastopt.kernels.lanes import get, put

# Tags of rows, for `lanes.get` and `lanes.put`.
LEAST, HISTORY = 0, 1

HISTORY_ROWS = 32
"""As many as a block may take steps at a time."""


class Targets(NamedTuple):
    """The targets, descending, and what each run has reached of them."""

    levels: Any  # (k + 1,) the highest values that reach each; then nan, which none does
    places: Any  # (k,) int64: where each stands in `steps`
    steps: Any  # (n, k) int64, -1 where not reached
    ahead: Any  # (S,) the next level of the run in each column, nan if there is none
    reached: Any  # (S,) int64: how many targets each run of the slice has reached


def any_ahead(targets, first, w):
    """Whether any run of these columns has not reached all targets."""
    count = 0
    for j in range(first, first + w):
        count += targets.ahead[j] > -math.inf
    return count > 0


def forget_least(tile, layout, wide):
    """Nothing has been seen yet."""
    for j in range(wide):
        put(tile, LEAST, layout.low + 1, j, math.inf)


def keep_reached(tile, layout, targets, which, found, first, w, run, t, n):
    """Keep the steps, of the *n* from step *t*, at which targets were reached first.

    Parameters
    ----------
    which, found : int64 array
        The run of each column; scratch.
    first, w : int
        The columns that the tile holds.
    run : int
        The first run of the slice.
    """
    levels, count = targets.levels, 0
    for j in range(w):
        # Without a branch, which would be guessed wrong.
        found[count] = j
        count += get(tile, LEAST, layout.low + 1, j) <= targets.ahead[first + j]
    if count > 0:
        for k in range(n, HISTORY_ROWS):
            for j in range(w):
                put(tile, HISTORY, layout.history + k, j, -math.inf)
    for h in range(count):
        # Unsigned, so that numba does not look whether it counts from an array's end: a fifth
        # of the time.
        j = np.uint64(found[h])
        column, own = np.uint64(first) + j, np.uint64(which[np.uint64(first) + j])
        least, number = get(tile, LEAST, layout.low + 1, j), np.uint64(targets.reached[own])
        steps = targets.steps[np.uint64(run) + own]
        while least <= levels[number]:
            # The first step whose least value is low enough, of four and then of one: with a
            # bisection half of the time would go into branches that are guessed wrong.
            level, fours, ones = levels[number], 0, 0
            for last in range(3, HISTORY_ROWS - 1, 4):
                fours += get(tile, HISTORY, layout.history + last, j) > level
            for more in range(3):
                ones += get(tile, HISTORY, layout.history + 4 * fours + more, j) > level
            steps[np.uint64(targets.places[number])] = t + 4 * fours + ones
            number += np.uint64(1)
        targets.reached[own] = number
        targets.ahead[column] = levels[number]


def take_back(targets, own, run, last):
    """Forget the targets that a run reached after its *last* step."""
    reached = targets.reached[own]
    while reached > 0 and targets.steps[run + own, targets.places[reached - 1]] > last:
        reached -= 1
        targets.steps[run + own, targets.places[reached]] = -1
