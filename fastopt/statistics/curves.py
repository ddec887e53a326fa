"""Functions that rise in steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fastopt.checks import Floats


def value_at(grid: Floats, values: Floats, points: ArrayLike) -> Floats:
    """Values (..., *n) at *points* (...) of what has *values* (m, *n) from *grid* (m,) on.

    Before all of the grid it is 0.
    """
    place = np.searchsorted(grid, np.asarray(points, np.float64), side="right")
    return np.concatenate([np.zeros_like(values, shape=(1, *values.shape[1:])), values])[place]
