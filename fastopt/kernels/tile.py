"""The tile: some runs, few enough for the L1 cache, as one array of rows by lanes.

A tile is a structure of arrays: each coordinate, and each slot of each coordinate, is a row,
contiguous over the lanes (the runs), and the innermost loop runs over the lanes, so that LLVM
vectorises it. One run at a time is 12 times slower. All rows, scratch included, stand in one
array, because numba passes an array as seven numbers: with an array for each of them the
driver took 11 s to compile.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from fastopt.kernels.parts import RuleParts, SurfaceParts

# The rows that a step touches should stay in the L1 cache (32 KB and up).
_TILE_BYTES = 24 * 1024
_MOST_LANES = 512
CACHE_LINE = 64
# A multiple of two of the widest vectors, so that no loop over lanes has a scalar rest.
WIDEST = {"float64": 16, "float32": 32}


class Layout(NamedTuple):
    """Where a tile's rows are: the first row of each kind, and how many there are.

    The first ``own`` rows belong to the runs and move with them, and the first ``changing``
    are what a step changes of those; the rest is scratch. Rows of parameters and scalars are
    the runs' own where parameters differ from run to run; otherwise only their lane 0 is used.
    """

    dim: int  # coordinates: x is rows 0 to dim - 1
    slots: int  # slot k of coordinate i is row slots + k * dim + i; then a rule's matrices
    memory: int  # numbers kept for each run
    scalars: int  # what per_step returned last
    run: int  # its index in the batch, in two digits, if there is anything random
    given: int  # numbers of the surface, where each run has its own
    parameters: int
    changing: int  # rows that a step changes
    own: int  # rows that belong to the runs
    low: int  # least squared gradient norm, value, squared distance so far
    mark: int  # 1 + the status of a run that ends, else 0
    f: int  # scratch: a value, or a norm
    g: int  # gradient
    y: int  # point at which the gradient is taken
    r: int  # scratch of the surface
    e: int  # scratch of the rule
    z: int  # random numbers of a step
    history: int  # least value so far of each step, if targets are looked for
    rows: int  # of all
    shared: int  # scalars that are the same for all runs


@lru_cache(1000)  # a call of fo.run asks three times, and would take 15 µs of its 150
def make_layout(
    rule: RuleParts,
    scratch: int,
    dim: int,
    per_run: bool,
    random: bool = False,
    given: int = 0,
    history: int = 0,
) -> Layout:
    """The layout of tiles for *rule* on a surface in *dim* coordinates.

    The surface has *scratch* rows, and *given* numbers for each run. The rows of the *history*
    are the last, so that all blocks of a pair have the others in the same place.
    """
    counts = {
        "dim": dim,
        "slots": (rule.slots + rule.matrices * dim) * dim,
        "memory": rule.memory,
        "run": 2 if random else 0,
        "given": given,
        "parameters": rule.parameters,
        "scalars": rule.scalars,
        "low": 3,
        "mark": 1,
        "f": 1,
        "g": dim,
        "y": dim if rule.point else 0,
        "r": scratch,
        "e": max(rule.reductions, rule.combined, _work_rows(rule, dim)),
        "z": dim + 2 if random else 0,
        "history": history,
    }
    order = list(counts)
    if per_run:  # what changes stands together
        order.remove("scalars")
        order.insert(order.index("run"), "scalars")
    ends = list(accumulate(counts[kind] for kind in order))
    first = dict(zip(order, [0, *ends], strict=False))
    own = first["low"] if per_run else first["parameters"]
    shared = 0 if per_run else rule.scalars
    return Layout(
        **(first | {"dim": dim}), changing=first["run"], own=own, rows=ends[-1], shared=shared
    )


def _work_rows(rule: RuleParts, dim: int) -> int:
    numbers, vectors, matrices = rule.work
    return numbers + (vectors + matrices * dim) * dim


def group_lanes(rule: RuleParts, surface: SurfaceParts, dtype: str, targets: bool = False) -> int:
    """How many lanes a block advances together; a tile has a multiple of them.

    So many lanes of a tile hold numbers, if not those of a run, whenever a block is called.

    A fused block keeps a group's coordinates and slots in registers, and needs enough of them
    at work to hide how long an addition takes: of gradient descent's 64 float64 lanes (15%
    more than with 32), of momentum's 48 (25 to 35% more than with 32; with 64 too few
    registers are left, and it is a third slower). The history of *targets* takes registers
    too: gradient descent with 64 lanes is then 60% slower.
    """
    if not surface.fused or rule.iterate:
        return WIDEST[dtype] * surface.vectors
    rows = surface.dim * (1 + rule.slots)
    return WIDEST[dtype] * (2 if targets or rows > 4 else 3 if rows > 2 else 4)


def lane_count(layout: Layout, dtype: str, group: int) -> int:
    """How many lanes a tile should have: a multiple of *group*."""
    # Of the history little is read again, so that most of it may be in the L2 cache.
    history = (layout.rows - layout.history) // 4
    touched = layout.low + layout.dim + layout.history - layout.e + history
    lanes = min(_TILE_BYTES // (touched * np.dtype(dtype).itemsize), _MOST_LANES)
    return max(lanes // group, 1) * group
