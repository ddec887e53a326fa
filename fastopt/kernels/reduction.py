"""What a batch of runs comes down to: counts, and the runs at either end of an order.

One pass over the results of a batch: 5 to 10 ns a run, a tenth of the cheapest run there is.
"""

from __future__ import annotations

from functools import cache as memoise

import numba
import numpy as np

from fastopt.kernels.compile import Entry, compile_entry
from fastopt.kernels.driver import CONVERGED, DIVERGED
from fastopt.kernels.intrinsics import bits_of

# A value's bin is made of its sign, its exponent and so many bits of its fraction: 16 bins
# between a power of two and the next, exact edges, no range to choose.
FRACTION_BITS = 4
_SHIFT = 52 - FRACTION_BITS
_SIGN = 1 << (63 - _SHIFT)
BINS = 2 * _SIGN
_MAGNITUDE = (1 << 63) - 1
_NAN = 0x7FF8 << 48

# Rows of `keys`: the orders whose first runs are kept, those of the largest key.
SLOWEST, FASTEST, HIGHEST, LOWEST, SOONEST = range(5)
ORDERS = 5


@memoise
def build_reduction(dtype: str) -> Entry:
    """The compiled :func:`reduce_runs`, for values of this dtype."""
    whole = np.zeros(0, np.int64)
    table = np.zeros((0, 0), np.int64)
    arrays = (whole, whole, np.zeros(0, np.int8), np.zeros(0, dtype))
    signature = numba.types.void(
        *map(numba.typeof, arrays),
        numba.types.float64,
        *map(numba.typeof, (table, whole, whole, table, table)),
    )
    label = f"reduction-{dtype}"
    return compile_entry(reduce_runs, "float64", signature, label, from_python=True)


def reduce_runs(steps, columns, status, fun, offset, ends, bins, span, keys, places):
    """Add runs to counts, and enter them into the orders where they belong.

    Parameters
    ----------
    steps, columns : int64 array, shape (n,)
        Each run's steps, and its column in *ends*.
    status : int8 array, shape (n,)
    fun : array, shape (n,)
    offset : float
        Subtracted from each value.
    ends : int64 array, shape (statuses, columns)
        How many runs ended so, by column.
    bins : int64 array, shape (BINS,)
        How many values each bin holds.
    span : int64 array, shape (2,)
        The first bin that holds any, and one more than the last.
    keys, places : int64 array, shape (ORDERS, k)
        The largest keys of each order, descending, and the runs that have them. Of equal ones
        the first stay.
    """
    for j in range(steps.shape[0]):
        step, how = steps[j], status[j]
        ends[how, columns[j]] += 1
        bits = _bits(fun[j], offset)
        _count(_bin(bits), bins, span)
        if how == CONVERGED:
            _offer(keys, places, SLOWEST, step, j)
            _offer(keys, places, FASTEST, -step, j)
        if how == DIVERGED:
            _offer(keys, places, SOONEST, -step, j)
        else:
            # As integers in the order of the values, nan above all.
            order = bits if bits >= 0 else bits ^ _MAGNITUDE
            _offer(keys, places, HIGHEST, order, j)
            _offer(keys, places, LOWEST, ~order, j)


@memoise
def build_binning(dtype: str) -> Entry:
    """The compiled :func:`count_bins`, for values of this dtype."""
    arrays = (np.zeros(0, dtype), np.zeros(0, np.int64))
    values, bins = map(numba.typeof, arrays)
    signature = numba.types.void(values, numba.types.float64, bins, bins)
    return compile_entry(count_bins, "float64", signature, f"binning-{dtype}", from_python=True)


def count_bins(fun, offset, bins, span):
    """Add the values, less *offset*, to the counts of *bins*; see :func:`reduce_runs`."""
    for j in range(fun.shape[0]):
        _count(_bin(_bits(fun[j], offset)), bins, span)


def _count(place, bins, span):
    bins[place] += 1
    span[0] = min(span[0], place)
    span[1] = max(span[1], place + 1)


@memoise
def build_counting() -> Entry:
    """The compiled :func:`count_hits`."""
    table, steps, status = np.zeros((0, 0), np.int64), np.zeros(0, np.int64), np.zeros(0, np.int8)
    signature = numba.types.void(*map(numba.typeof, (table, steps, status, table)))
    return compile_entry(count_hits, "float64", signature, "hit-counts", from_python=True)


def count_hits(hits, steps, status, counts):
    """Count by target when runs met it, and how the others ended.

    Parameters
    ----------
    hits : int64 array, shape (n, k)
        The steps at which targets were met, -1 for never.
    steps : int64 array, shape (n,)
    status : int8 array, shape (n,)
    counts : int64 array, shape (k * (1 + statuses), most steps + 1)
        For each target a row of those who met it, and one for each status of the others.
    """
    rows = counts.shape[0] // max(hits.shape[1], 1)
    for j in range(hits.shape[0]):
        for k in range(hits.shape[1]):
            if hits[j, k] >= 0:
                counts[rows * k, hits[j, k]] += 1
            else:
                counts[rows * k + 1 + status[j], steps[j]] += 1


def _bits(value, offset):
    """The bits of value - offset; of one zero and one nan only."""
    number = np.float64(value) - offset + 0.0
    return bits_of(number) if number == number else _NAN


def _bin(bits):
    """The number of the bin, ascending with the value; nan comes last."""
    place = (bits & _MAGNITUDE) >> _SHIFT
    return _SIGN + place if bits >= 0 else _SIGN - 1 - place


def _offer(keys, places, order, key, j):
    """Enter run j if its key is larger than the last that is kept."""
    k = keys.shape[1] - 1
    if k < 0 or key <= keys[order, k]:
        return
    while k > 0 and key > keys[order, k - 1]:
        keys[order, k], places[order, k] = keys[order, k - 1], places[order, k - 1]
        k -= 1
    keys[order, k], places[order, k] = key, j
