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

from fastopt.basins.census import Census
from fastopt.basins.plane import centres, place
from fastopt.basins.running import Sweep

_STRIDE = 8
_UNKNOWN = -9

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
        rows, columns = np.nonzero(entries[::stride, ::stride] == _UNKNOWN)
        ran += len(rows)
        _run(sweep, census, frame, bounds, results, rows * stride, columns * stride)
        if stride == 1:
            return ran / max(entries.size, 1)
        _fill(census, results, stride)
        stride //= 2


def _run(
    sweep: Sweep,
    census: Census,
    frame: NDArray[np.float64],
    bounds: NDArray[np.float64],
    results: Results,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
) -> None:
    """Run the pixels at these rows and columns."""
    shape = results["entries"].shape
    x, y = centres(bounds[0], shape[1]), centres(bounds[1], shape[0])

    def make(a: int, b: int) -> NDArray[np.float64]:
        points = np.empty((b - a, frame.shape[1]))
        place(frame, x[columns[a:b]], y[rows[a:b]], points)
        return points

    for part, runs, found in sweep.parts(make, len(rows), 1, census):
        where = rows[part], columns[part]
        results["entries"][where] = found
        results["steps"][where], results["fun"][where] = runs.steps, runs.fun


def _fill(census: Census, results: Results, stride: int) -> None:
    """Fill pixels at half the *stride* whose surroundings have one label."""
    from scipy.ndimage import maximum_filter, minimum_filter

    labels = np.ascontiguousarray(results["entries"][::stride, ::stride]).reshape(-1)
    census.group().label(labels)
    coarse = labels.reshape(results["entries"][::stride, ::stride].shape)
    alike = minimum_filter(coarse, 3) == maximum_filter(coarse, 3)
    half = stride // 2
    fine = results["entries"][::half, ::half]
    # The coarser pixels before and after each new one; at the end the last.
    before = [np.arange(side) // 2 for side in fine.shape]
    after = [np.minimum((np.arange(fine.shape[k]) + 1) // 2, coarse.shape[k] - 1) for k in (0, 1)]
    settled = np.ones(fine.shape, np.bool_)
    for i in (before[0], after[0]):
        for j in (before[1], after[1]):
            settled &= alike[np.ix_(i, j)]
    new = settled & (fine == _UNKNOWN)
    row, column = np.nonzero(new)
    for array in results.values():
        array[row * half, column * half] = array[row // 2 * stride, column // 2 * stride]
