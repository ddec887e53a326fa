"""The tile: some runs, few enough for the L1 cache, as one array of rows by lanes.

A tile is a structure of arrays: each coordinate, and each slot of each coordinate, is a row,
contiguous over the lanes (the runs), and the innermost loop runs over the lanes, so that LLVM
vectorises it. One run at a time is 12 times slower. All rows, scratch included, stand in one
array, because numba passes an array as seven numbers: with an array for each of them the
driver took 11 s to compile.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastopt.kernels.parts import RuleParts

# The rows that a step touches should stay in the L1 cache (32 KB and up).
_TILE_BYTES = 24 * 1024
_MOST_LANES = 512
_CACHE_LINE = 64
# A multiple of two of the widest vectors, so that no loop over lanes has a scalar rest.
LANE_STEP = {"float64": 16, "float32": 32}


class Layout(NamedTuple):
    """Where a tile's rows are: the first row of each kind, and how many there are.

    The first ``own`` rows belong to the runs and move with them; the rest is scratch. Rows
    of parameters and scalars are the runs' own where parameters differ from run to run;
    otherwise only their lane 0 is used.
    """

    dim: int  # coordinates: x is rows 0 to dim - 1
    slots: int  # slot k of coordinate i is row slots + k * dim + i
    memory: int  # numbers kept for each run
    parameters: int
    scalars: int  # what per_step returned last
    own: int  # rows that belong to the runs
    low: int  # least squared gradient norm, value, squared distance so far
    mark: int  # 1 + the status of a run that ends, else 0
    f: int  # scratch: a value, or a norm
    g: int  # gradient
    y: int  # point at which the gradient is taken
    r: int  # scratch of the surface
    e: int  # scratch of the rule's sums
    rows: int  # of all
    shared: int  # scalars that are the same for all runs


def make_layout(rule: RuleParts, scratch: int, dim: int, per_run: bool) -> Layout:
    """The layout of tiles for *rule* on a surface with *scratch* rows in *dim* coordinates."""
    counts = {
        "dim": dim,
        "slots": rule.slots * dim,
        "memory": rule.memory,
        "parameters": rule.parameters,
        "scalars": rule.scalars,
        "low": 3,
        "mark": 1,
        "f": 1,
        "g": dim,
        "y": dim if rule.point else 0,
        "r": scratch,
        "e": max(rule.reductions, rule.combined),
    }
    ends = list(accumulate(counts.values()))
    first = dict(zip(counts, [0, *ends], strict=False))
    first["dim"] = dim
    own = first["low"] if per_run else first["parameters"]
    return Layout(**first, own=own, rows=ends[-1], shared=0 if per_run else rule.scalars)


def lane_count(layout: Layout, dtype: str) -> int:
    """How many lanes a tile should have."""
    step = LANE_STEP[dtype]
    touched = layout.low + layout.dim
    lanes = _TILE_BYTES // (touched * np.dtype(dtype).itemsize)
    return min(max(lanes // step * step, step), _MOST_LANES)


def aligned(shape: tuple[int, int], dtype: str) -> NDArray[Any]:
    """An array of zeros that begins on a cache line.

    Where NumPy puts it, every second array has each of its vectors across two lines, which
    takes a third of momentum's rate.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    buffer = np.zeros(size + _CACHE_LINE, np.uint8)
    first = -buffer.__array_interface__["data"][0] % _CACHE_LINE
    return buffer[first : first + size].view(dtype).reshape(shape)
