"""How far roundings may take a run: the yardstick where two computations round otherwise.

A run is as near to its oracle as can be asked if what lies between them is what roundings do
to the oracle itself. They disturb it in two ways. An ulp of the start is followed through all
steps; but a run that settles forgets it, and is disturbed anew at each step. So gradients are
disturbed as well: each is taken an ulp beside its point, and is itself wrong by an ulp. The
first is what makes a sum that cancels wrong by far more than an ulp of itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from oracles import ulps_apart

COPIES = 8


class Neighbours(NamedTuple):
    """An oracle's path (steps + 1, n, dim), and paths (k, ...) that roundings make of it."""

    path: np.ndarray
    others: np.ndarray

    def spread(self) -> float:
        """How far the farthest of the others is from the path, in ulps of all coordinates."""
        return max(ulps_apart(other, self.path) for other in self.others)

    def first_step(self) -> np.ndarray:
        """How far each coordinate (n, dim) is after one step, in its own ulps; at least 1."""
        return np.maximum(1, np.max([first_step_apart(a, self.path) for a in self.others], axis=0))

    def each_run(self) -> list[Neighbours]:
        runs = range(self.path.shape[1])
        return [Neighbours(self.path[:, [i]], self.others[:, :, [i]]) for i in runs]


def neighbours(path: Callable[..., np.ndarray], starts: np.ndarray) -> Neighbours:
    """The path of an oracle from starts (n, dim), and those from beside it.

    ``path(through, starts)`` is the oracle's path, where each function of a point that the
    oracle calls is ``through(function)``.
    """
    far = starts.dtype.type(np.inf)
    plain, *moved = (
        path(lambda function: function, x)
        for x in (starts, np.nextafter(starts, far), np.nextafter(starts, -far))
    )
    disturbed = path(_disturbing(np.random.default_rng(23)), np.tile(starts, (COPIES, 1)))
    return Neighbours(plain, np.array([*moved, *np.split(disturbed, COPIES, axis=1)]))


def first_step_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The difference of each coordinate (n, dim) after one step, in its own ulps."""
    size = np.maximum(np.abs(a[:2]), np.abs(b[:2])).max(0)
    return np.abs(a[1] - b[1]) / np.spacing(size)


def _disturbing(rng):
    def through(function):
        return lambda x: beside(function(beside(x)))

    def beside(a):
        """Each number as it is, or an ulp up or down."""
        return a + rng.integers(-1, 2, a.shape).astype(a.dtype) * np.spacing(np.abs(a))

    return through
