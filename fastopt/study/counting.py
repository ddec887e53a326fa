"""Counting the runs of a setting as they come, a portion at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.kernels.reduction import (
    BINS,
    ORDERS,
    build_binning,
    build_counting,
    build_gathering,
    build_reduction,
)
from fastopt.runs import Runs, Status
from fastopt.study.reduced import HIT_ROWS, NO_KEY, Reduced, Shape
from fastopt.study.tally import Tally

Whole = NDArray[np.int64]

# Counts of so many entries are made in a table, 32 MB at most; of more by sorting.
_MOST_DENSE = 1 << 22
# A table of many more entries than there are numbers to count takes longer than sorting them.
_ENTRIES_A_NUMBER = 8


class Counting:
    """The runs number *first*, *first* + 1, ... of a setting.

    Parameters
    ----------
    shape : Shape
    first : int
    size : int
        How many runs there will be.
    """

    def __init__(self, shape: Shape, first: int, size: int):
        self._shape, self._next, self._left, self._size = shape, first, size, size
        self._ends = np.zeros((len(Status), 0), np.int64)
        self._bins, self._span = np.zeros(BINS, np.int64), np.array([BINS, 0])
        self._keys = np.full((ORDERS, shape.extremes), NO_KEY)
        self._places = np.full((ORDERS, shape.extremes), -1)
        self._hits: _Hits | None = None
        # What was not counted in a table.
        self._more: dict[str, list[Tally]] = {"ends": [], "hits": [], "losses": []}

    @property
    def complete(self) -> bool:
        """Whether all runs have come."""
        return self._left == 0

    def add(self, runs: Runs, own: slice) -> None:
        """Count the next of them, the *own* runs of a batch of one axis."""
        steps, status, fun = runs.steps[own], runs.status[own], runs.fun[own]
        most = int(steps.max(initial=0)) + 1
        which, columns = None, steps
        if most > _MOST_DENSE // len(Status):
            which, columns = np.unique(steps, return_inverse=True)
            ends = np.zeros((len(Status), len(which)), np.int64)
        else:
            ends = self._ends = _grown(self._ends, most)
        kept = (ends, self._bins, self._span, self._keys, self._places)
        reduction, offset = build_reduction(fun.dtype.name), self._shape.offset
        reduction.call(steps, columns, status, fun, self._next, offset, *kept)
        if which is not None:
            self._more["ends"].append(Tally.of_table(ends, self._shape.width, which))
        if runs.target_steps is not None:
            self._add_hits(runs, own, most)
        if runs.trajectory_fun is not None:
            self._more["losses"].append(self._losses(runs, own))
        self._next += len(steps)
        self._left -= len(steps)

    def _add_hits(self, runs: Runs, own: slice, most: int) -> None:
        assert runs.target_steps is not None
        assert runs.targets is not None
        steps, status, hits = runs.steps[own], runs.status[own], runs.target_steps[own]
        width, k = self._shape.width, self._shape.targets
        if HIT_ROWS * k * most > min(_MOST_DENSE, _ENTRIES_A_NUMBER * k * self._size):
            missed = hits < 0
            row = HIT_ROWS * np.arange(k) + missed * (1 + status[:, None])
            column = np.where(missed, steps[:, None], hits)
            self._more["hits"].append(Tally.of_keys((row * width + column).ravel(), width))
            return
        if self._hits is None:
            self._hits = _Hits.taken(min(width, _MOST_DENSE // (HIT_ROWS * k)), k)
        self._hits.add(hits, np.argsort(-runs.targets, kind="stable"), steps, status, most)

    def _losses(self, runs: Runs, own: slice) -> Tally:
        assert runs.trajectory_fun is not None
        binning = build_binning(runs.fun.dtype.name)
        bins, keys, counts = np.zeros(BINS, np.int64), [], []
        for row, values in enumerate(runs.trajectory_fun):
            span = np.array([BINS, 0])
            binning.call(values[own], self._shape.offset, bins, span)
            places = _there(bins, span)
            keys.append(row * BINS + places)
            counts.append(bins[places])
            bins[places] = 0
        return Tally(np.concatenate(keys), np.concatenate(counts), BINS)

    def result(self) -> Reduced:
        """All of them, once they have come."""
        width, places = self._shape.width, _there(self._bins, self._span)
        ends = [Tally.of_table(self._ends, width), *self._more["ends"]]
        if self._hits is not None:
            self._more["hits"].append(self._hits.listed(width))
            self._hits.leave()
            self._hits = None
        return Reduced(
            runs=self._size,
            ends=Tally.merged(ends, width),
            hits=Tally.merged(self._more["hits"], width),
            values=Tally(places, self._bins[places], BINS),
            losses=Tally.merged(self._more["losses"], BINS),
            keys=self._keys,
            places=self._places,
        )


class _Hits:
    """Counts of targets in tables, for so many different steps at most.

    They take up to 32 MB, of which little may be touched, and are kept for the next: among so
    many smaller arrays the memory of one would not be found again.
    """

    _spare: list[_Hits] = []  # noqa: RUF012 (shared on purpose)

    def __init__(self, columns: int, targets: int):
        self._met = np.zeros((columns, targets), np.int64)
        self._ended = np.zeros((columns, len(Status), targets + 1), np.int64)
        self._order, self._most = np.arange(targets), 0

    @classmethod
    def taken(cls, columns: int, targets: int) -> _Hits:
        """One of this size, all 0."""
        try:
            spare = cls._spare.pop()  # one operation, so threads need no lock
        except IndexError:
            return cls(columns, targets)
        return spare if spare._met.shape == (columns, targets) else cls(columns, targets)

    def leave(self) -> None:
        """Be there for the next."""
        self._met[: self._most] = 0
        self._ended[: self._most] = 0
        self._most = 0
        self._spare.append(self)

    def add(self, hits: Whole, order: Whole, steps: Whole, status: NDArray[Any], most: int) -> None:
        """Count some runs; *order* is that of the targets, from the highest to the lowest."""
        build_counting().call(hits, order, steps, status, self._met, self._ended)
        self._order, self._most = order, max(self._most, most)

    def listed(self, width: int) -> Tally:
        """What they hold, in rows of this width."""
        met, missed = self._met[: self._most], self._ended[: self._most]
        np.cumsum(missed, axis=2, out=missed)
        count = np.count_nonzero(met) + np.count_nonzero(missed[:, :, :-1])
        keys, counts = np.zeros((2, count), np.int64)
        build_gathering().call(met, missed, np.argsort(self._order), width, keys, counts)
        return Tally(keys, counts, width)


def _there(bins: Whole, span: Whole) -> Whole:
    """The bins that hold any value; all are between the ends of their span."""
    return span[0] + np.flatnonzero(bins[span[0] : span[1]])


def _grown(table: Whole, most: int) -> Whole:
    """The same counts in a table of at least so many columns."""
    there = table.shape[1]
    if there >= most:
        return table
    grown = np.zeros((len(table), most), np.int64)
    grown[:, :there] = table
    return grown
