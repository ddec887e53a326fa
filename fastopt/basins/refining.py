"""Maps of which only what is near a boundary is run.

From every eighth pixel of each row and column the map is made finer by halves. A new pixel is
run unless the coarser ones around it, and their neighbours, all have one label: then it gets
that label, and the steps and the value of a neighbour. So what is smaller than about sixteen
pixels can be missed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.basins.census import Census, Grouped
from fastopt.basins.plane import centres, place
from fastopt.basins.running import Sweep

_STRIDE = 8
_UNKNOWN = -9
# Rows that are filled at a time.
_BAND = 256

Results = dict[str, NDArray[Any]]


def run_refined(
    sweep: Sweep,
    census: Census,
    frame: NDArray[np.float64],
    bounds: NDArray[np.float64],
    results: Results,
) -> float:
    """Fill the *results* (entries, steps, fun), each (ny, nx); returns the share that was run."""
    entries = results["entries"]
    entries[:] = _UNKNOWN
    stride, ran = _STRIDE, 0
    while True:
        ran += _run(sweep, census, frame, bounds, results, stride)
        if stride == 1:
            return ran / max(entries.size, 1)
        grouped = census.group()
        rows = -(-len(entries) // (stride // 2))
        for a in range(0, rows, _BAND):
            _fill(grouped, results, stride, a, min(a + _BAND, rows))
        stride //= 2


def _run(
    sweep: Sweep,
    census: Census,
    frame: NDArray[np.float64],
    bounds: NDArray[np.float64],
    results: Results,
    stride: int,
) -> int:
    """Run the pixels at this stride that are not known; returns how many they are."""
    shape, entries = results["entries"].shape, results["entries"][::stride, ::stride]
    x, y = centres(bounds[0], shape[1]), centres(bounds[1], shape[0])
    counts = [int(np.count_nonzero(row == _UNKNOWN)) for row in entries]
    ends = np.cumsum(counts)
    place_of: list[NDArray[np.int64]] = []

    def make(a: int, b: int) -> NDArray[np.float64]:
        # Those before a are known by now, so that these are the first that are not.
        first, last = np.searchsorted(ends, a, "right"), np.searchsorted(ends, b) + 1
        rows, columns = np.nonzero(entries[first:last] == _UNKNOWN)
        place_of[:] = (rows[: b - a] + first) * stride, columns[: b - a] * stride
        points = np.empty((b - a, frame.shape[1]))
        place(frame, x[place_of[1]], y[place_of[0]], points)
        return points

    for _, runs, found in sweep.parts(make, int(ends[-1]), 1, census):
        where = tuple(place_of)
        results["entries"][where] = found
        results["steps"][where], results["fun"][where] = runs.steps, runs.fun
    return int(ends[-1])


def _fill(grouped: Grouped, results: Results, stride: int, first: int, last: int) -> None:
    """Fill pixels at half the *stride* whose surroundings have one label.

    Those of the rows from *first* to before *last* of the finer ones.
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    half = stride // 2
    coarse, fine = results["entries"][::stride, ::stride], results["entries"][::half, ::half]
    # The coarser pixels before and after each new one; at the end the last.
    numbers = np.arange(first, last), np.arange(fine.shape[1])
    (up, down), (left, right) = (
        (k // 2, np.minimum((k + 1) // 2, side - 1))
        for k, side in zip(numbers, coarse.shape, strict=True)
    )
    # One row more at each end is looked at.
    begin = max(int(up[0]) - 1, 0)
    labels = np.ascontiguousarray(coarse[begin : int(down[-1]) + 2])
    grouped.label(labels.reshape(-1))
    alike = minimum_filter(labels, 3) == maximum_filter(labels, 3)
    new = fine[first:last] == _UNKNOWN
    for i in (up - begin, down - begin):
        for j in (left, right):
            new &= alike[np.ix_(i, j)]
    row, column = np.nonzero(new)
    row += first
    for array in results.values():
        array[row * half, column * half] = array[row // 2 * stride, column // 2 * stride]
