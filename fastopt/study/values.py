"""Bins of values: 16 between a power of two and the next, with exact edges.

The bins are fixed, so that histograms of any two batches can be added. A value is known from
its bin to 6%, and the middle of the bin is within 3.2% of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.kernels.reduction import BINS, FRACTION_BITS

Floats = NDArray[np.float64]
_SHIFT = 52 - FRACTION_BITS
_ZERO = BINS // 2


def edges(bins: NDArray[Any]) -> tuple[Floats, Floats]:
    """The least and the largest values of these bins; nan for the one that holds nan."""
    bins = np.asarray(bins, np.int64)
    magnitude = np.where(bins >= _ZERO, bins - _ZERO, _ZERO - 1 - bins)
    near = (magnitude << _SHIFT).view(np.float64)
    last = np.minimum(((magnitude + 1) << _SHIFT) - 1, np.int64(0x7FF << 52))
    far = np.where(near < np.inf, last.view(np.float64), near)
    positive = bins >= _ZERO
    return np.where(positive, near, -far), np.where(positive, far, -near)


def middles(bins: NDArray[Any]) -> Floats:
    """A value for each bin: the middle of its edges, 0 for the bin that holds 0."""
    low, high = edges(bins)
    with np.errstate(invalid="ignore"):
        middle = low + (high - low) / 2
    return np.where(low == 0, 0.0, np.where(np.isinf(low) | np.isinf(high), low, middle))


def quantiles(bins: NDArray[Any], counts: NDArray[Any], shares: Sequence[float]) -> Floats:
    """The middles of the bins that hold these quantiles (the inverse of the distribution).

    Parameters
    ----------
    bins, counts : int64 array, shape (m,)
        The bins that are not empty, ascending, and how many values they hold.
    shares : sequence of float
        In [0, 1].

    Returns
    -------
    numpy.ndarray, shape (len(shares),)
        nan where there are no values at all.
    """
    if not len(bins):
        return np.full(len(shares), np.nan)
    sums = np.cumsum(counts)
    ranks = np.maximum(np.ceil(np.asarray(shares) * sums[-1]), 1)
    return middles(bins[np.searchsorted(sums, ranks)])
