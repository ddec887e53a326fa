"""Points sorted into cells, and cells that touch joined into groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.kernels.cells import CELLS, POINT, build_enter, build_sort, build_tally

# Where the cells begin, as a share of a side: such that no round number is on an edge.
_SHIFT = 0.381966011250105
_FEW = 1 << 10
MOST_CELLS = 1 << 22
"""More different cells than this are refused."""


class Cells:
    """The cells of one size that points were found in, each with its best point.

    Which cells there are, and the best point of each, depends on the points alone, not on
    their order nor on the parts in which they come; only the cells' numbers do.

    Parameters
    ----------
    dim : int
        Number of coordinates.
    side : float
        Of a cell.
    """

    def __init__(self, dim: int, side: float):
        self.side = side
        self._dim = dim
        self._state = np.zeros(2, np.int64)
        self._cells = np.empty((_FEW, dim), np.int64)
        self._counts = np.zeros(_FEW, np.int64)
        self._norms = np.full(_FEW, np.inf)
        self._points = np.zeros((_FEW, dim))
        self._table = np.full(4 * _FEW, -1, np.int32)

    def __len__(self) -> int:
        return int(self._state[CELLS])

    @property
    def places(self) -> NDArray[np.int64]:
        """The whole coordinates of each cell, (m, dim)."""
        return self._cells[: len(self)]

    @property
    def centres(self) -> NDArray[np.float64]:
        """The middle of each cell, (m, dim)."""
        return np.asarray((self.places + (0.5 - _SHIFT)) * self.side, np.float64)

    @property
    def points(self) -> NDArray[np.float64]:
        """The best point of each cell, (m, dim)."""
        return self._points[: len(self)]

    @property
    def norms(self) -> NDArray[np.float64]:
        """The gradient norm at the best point of each cell, (m,)."""
        return self._norms[: len(self)]

    def sort(self, points: NDArray[np.float64], cell_of: NDArray[np.int32]) -> None:
        """Set *cell_of* (n,) to the cell of each of *points* (n, dim), but where it is < 0."""
        self._state[POINT] = 0
        while True:
            arrays = (points, cell_of, self._cells, self._table, self._state)
            build_sort().call(*arrays, 1.0 / self.side, _SHIFT)
            if self._state[POINT] == len(points):
                return
            if len(self) >= MOST_CELLS:
                raise ValueError(
                    f"tolerance: runs ended in more than {MOST_CELLS:,} places that are more than "
                    f"{self.side:.3g} apart; give a larger tolerance="
                )
            self._grow()

    def tally(
        self,
        cell_of: NDArray[np.int32],
        norms: NDArray[np.float64],
        points: NDArray[np.float64],
    ) -> None:
        """Let sorted points compete for the best of their cell: that of the least norm."""
        build_tally().call(cell_of, norms, points, self._counts, self._norms, self._points)

    def drop(self, first: int, dropped: NDArray[np.bool_]) -> NDArray[np.int32]:
        """Forget some of the cells from number *first* on, none of which was tallied.

        Returns the new number of each of them, -1 where it is dropped.
        """
        kept = np.flatnonzero(~dropped)
        numbers = np.full(len(dropped), -1, np.int32)
        numbers[kept] = first + np.arange(len(kept))
        self._cells[first : first + len(kept)] = self._cells[first + kept]
        self._state[CELLS] = first + len(kept)
        self._table[:] = -1
        build_enter().call(self.places, self._table)
        return numbers

    def neighbours(self) -> NDArray[np.int64]:
        """Pairs (m, 2) of cells that touch, be it at a corner."""
        from scipy.spatial import cKDTree

        if not len(self):
            return np.zeros((0, 2), np.int64)
        tree = cKDTree(self.places.astype(np.float64))
        pairs: Any = tree.query_pairs(1.5, p=np.inf, output_type="ndarray")
        return np.asarray(pairs, np.int64).reshape(-1, 2)

    def _grow(self) -> None:
        size = 2 * len(self._cells)
        self._cells = np.resize(self._cells, (size, self._dim))
        self._points = np.resize(self._points, (size, self._dim))
        more = np.zeros(size // 2, np.int64)
        self._counts = np.concatenate([self._counts, more])
        self._norms = np.concatenate([self._norms, np.full(size // 2, np.inf)])
        self._table = np.full(4 * size, -1, np.int32)
        build_enter().call(self.places, self._table)


def components(count: int, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The group of each of *count* things, of which *pairs* (m, 2) are joined."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    joined = (np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1]))
    labels: NDArray[np.int64] = connected_components(
        coo_array(joined, shape=(count, count)), directed=False
    )[1]
    return labels
