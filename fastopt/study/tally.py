"""Exact counts in rows and columns, of which only those that are not 0 are kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[Any]


class Tally:
    """A sparse matrix of counts; immutable, and the same bits in whatever order it was merged.

    Parameters
    ----------
    keys : array of whole numbers, shape (m,)
        ``row * width + column`` of each count, ascending.
    counts : array of whole numbers, shape (m,)
        The counts, all > 0.
    width : int
        Number of columns.
    """

    def __init__(self, keys: Whole, counts: Whole, width: int):
        self.keys, self.counts, self.width = _narrow(keys), _narrow(counts), width

    @classmethod
    def empty(cls, width: int) -> Tally:
        """No counts at all."""
        return cls(np.zeros(0, np.int64), np.zeros(0, np.int64), width)

    @classmethod
    def of_table(cls, table: Whole, width: int, which: Whole | None = None) -> Tally:
        """Counts (rows, m), of the first m of *width* columns, or of *which*, ascending."""
        places = np.flatnonzero(table)
        rows, columns = np.divmod(places, table.shape[1])
        columns = columns if which is None else which[columns]
        return cls(rows * width + columns, table.reshape(-1)[places], width)

    @classmethod
    def of_keys(cls, keys: Whole, width: int) -> Tally:
        """How often each key is there."""
        return cls(*np.unique(keys, return_counts=True), width)

    @classmethod
    def merged(cls, tallies: Iterable[Tally], width: int) -> Tally:
        """The sum of tallies of one width."""
        parts = [part for part in tallies if len(part.keys)]
        if len(parts) < 2:
            return parts[0] if parts else cls.empty(width)
        keys = np.concatenate([part.keys.astype(np.int64) for part in parts])
        counts = np.concatenate([part.counts.astype(np.int64) for part in parts])
        order = np.argsort(keys, kind="stable")
        keys, counts = keys[order], counts[order]
        firsts = np.flatnonzero(np.diff(keys, prepend=-1))
        return cls(keys[firsts], np.add.reduceat(counts, firsts), width)

    def row(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The columns of a row that have counts, ascending, and their counts, as int64."""
        first = number * self.width
        a, b = self._place(first), self._place(first + self.width)
        return self.keys[a:b].astype(np.int64) - first, self.counts[a:b].astype(np.int64)

    def _place(self, key: int) -> int:
        """How many keys are less than this one."""
        if key > np.iinfo(self.keys.dtype).max:
            return len(self.keys)
        # Of their own kind: for another, all of them would be copied.
        return int(np.searchsorted(self.keys, self.keys.dtype.type(key)))


def _narrow(array: Whole) -> Whole:
    """The same numbers in the fewest bytes each; a function of the numbers alone."""
    return array.astype(np.min_scalar_type(int(array.max(initial=0))))
