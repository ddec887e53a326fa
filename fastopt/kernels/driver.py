"""The driver: advances a slice of runs to their end, tile by tile and window by window.

It is compiled once per dtype and calls the pair's block by its address, once per tile and
window (32 steps), which costs nothing measurable. All runs of a slice are at the same step.

A window on one tile:

1. The tile is loaded from the slice, which keeps the runs as they were at the window's start.
2. The block advances it by a window, leaving the least gradient norm that each run saw.
3. Runs that met no criterion and did not escape are stored back. The few others, the *hits*,
   are moved to a second slice as they were at the window's start.

After the window's last tile, the second slice is advanced through the same window in shorter
ones, whose hits go to a third slice in the same way, and that by single steps, where a hit is
known to have ended at just that step. So a finished run costs nothing any more, and exact
stopping one more window of each run. Masking finished runs at every step instead would cost
gradient descent half of its rate, and rewinding run by run, not in vectors, a quarter of the
whole time to convergence.
"""

from __future__ import annotations

import math
from functools import cache as memoise
from typing import Any, NamedTuple

import numba
import numpy as np

from fastopt.kernels.block import block_signature
from fastopt.kernels.compile import Entry, call_address, compile_entry, merged
from fastopt.kernels.lanes import get, put
from fastopt.kernels.targets import (
    Targets,
    any_ahead,
    forget_least,
    keep_reached,
    take_back,
)

CONVERGED, MAX_STEPS, DIVERGED = 0, 1, 2
PENDING = -1

# The slices: all runs, and those that are rewound, in windows of some steps and of one.
RUNS, MIDDLE, SINGLE = 0, 1, 2
SLICES = 3
# Places in `counts` for each slice: columns in use, next column of the window, hits, the
# window's first step and length; and for the first slice whether its starts have been looked
# at, and whether a block raised.
ACTIVE, NEXT, HITS, STEP, LENGTH, BEGUN, RAISED = range(7)
COUNTS = 7
# Rows of `lanes` for each slice: a column's run, from the slice's first; columns that hit.
WHICH, HIT = 0, 1
# Tags of rows, for `lanes.get` and `lanes.put`: those of the runs in a tile and in a slice,
# what the block saw, and the mark of those that end.
OWN, SLICE, LOW, MARK = 0, 1, 2, 3
# Rows of `scalars` for each slice: what per_step returned before the window, and at its end.
BEFORE, AFTER = 0, 1


class Goal(NamedTuple):
    """When runs stop, and what is recorded on the way."""

    limits: Any  # (7,) 3 limits, 3 offsets: met where low - offset <= limit; then escape
    record_steps: Any  # (k,) int64 ascending
    factors: Any  # (m,) factors of the learning rate of the first steps; empty: all 1
    max_steps: int
    window: int
    middle: int  # length of the windows in which hits are looked for first
    check: int  # steps after which escape is looked for, within a window
    group: int  # lanes that the block advances together


class Out(NamedTuple):
    """Where results go; a run's place is ``first`` + its number in the slice."""

    x: Any  # (n, dim)
    steps: Any  # (n,) int64
    status: Any  # (n,) int8
    trajectory: Any  # (k, n, dim)
    first: int


@memoise
def build_driver(dtype: str, targeted: bool) -> Entry:
    """The compiled :func:`advance`: one for runs without targets, one for those with."""
    vector, matrix, cube = (np.zeros((0,) * axes, dtype) for axes in (1, 2, 3))
    counts, status = np.zeros(0, np.int64), np.zeros(0, np.int8)
    goal = Goal(vector, counts, vector, 0, 0, 0, 0, 0)
    out = Out(matrix, counts, status, cube, 0)
    lanes, whole_numbers = np.zeros((0, 0, 0), np.int64), np.zeros((0, 0), np.int64)
    targets = Targets(vector, counts, whole_numbers, vector, counts) if targeted else None
    parts = (matrix, lanes, whole_numbers, cube, goal, targets, out)
    whole = numba.types.int64
    signature = numba.types.void(
        whole, whole, *block_signature(dtype).args[:5], *map(numba.typeof, parts), whole
    )
    label = f"driver-{dtype}{'-targets' if targeted else ''}"
    return compile_entry(advance, dtype, signature, label, from_python=True)


def advance(
    block, watcher, tile, layout, q, minima, rates, rows, lanes, counts, scalars, goal, targets,
    out, budget,
):  # fmt: skip
    """Advance a slice until all its runs have ended, or for about *budget* run-steps.

    It also comes back where it needs more of ``goal.factors``.

    Parameters
    ----------
    block : int
        Address of the pair's block, whose arguments are the five after the next.
    watcher : int
        The same of the block that watches for targets as well, if there are any.
    rows : array, shape (SLICES * layout.own, S)
        The slices, one below the other: a column a run.
    lanes : int64 array, shape (SLICES, 2, S)
    counts : int64 array, shape (SLICES, COUNTS)
    scalars : array, shape (SLICES, 2, layout.shared)
    targets : Targets or None
    """
    while counts[RUNS, ACTIVE] > 0:
        t = counts[RUNS, STEP]
        n = min(goal.window, goal.max_steps - t)
        over = n == 0
        if counts[RUNS, BEGUN] == 0:
            n, over = 0, False  # only look whether a start is too far out
        elif 0 < goal.factors.shape[0] < t + n:
            return
        # Not RUNS itself: what is called with a literal is compiled once more for it.
        part, at = np.int64(RUNS), t
        while True:
            steps = n if part == RUNS else min(goal.middle, t + n - at) if part == MIDDLE else 1
            counts[part, STEP], counts[part, LENGTH] = at, steps
            while counts[part, NEXT] < counts[part, ACTIVE]:
                if (budget <= 0 and part == RUNS) or counts[RUNS, RAISED]:
                    return
                w = _advance_tile(
                    block, watcher, tile, layout, q, minima, rates, rows, lanes, counts, scalars,
                    goal, targets, out, part, at, steps, over,
                )  # fmt: skip
                budget -= w * steps
            _swap_out(rows, lanes, counts, targets, layout.own, part)
            if steps > 1 and counts[part + 1, ACTIVE] > 0:
                # Those that hit, in shorter windows from where this one began.
                for i in range(layout.shared):
                    scalars[part + 1, BEFORE, i] = scalars[part, BEFORE, i]
                part += 1
            else:
                while True:
                    _end_window(counts, scalars, part)
                    if part == RUNS or counts[part, ACTIVE] > 0:
                        break
                    part -= 1
                if part == RUNS:
                    break
                at = counts[part, STEP]
        counts[RUNS, BEGUN] = 1


def _end_window(counts, scalars, part):
    """The next window of a slice begins where this one ends."""
    counts[part, STEP] += counts[part, LENGTH]
    if counts[part, LENGTH] > 0:
        for i in range(scalars.shape[2]):
            scalars[part, BEFORE, i] = scalars[part, AFTER, i]


@merged
def _advance_tile(
    block, watcher, tile, layout, q, minima, rates, rows, lanes, counts, scalars, goal, targets,
    out, part, t, n, over,
):  # fmt: skip
    """Advance the next tile of a slice by *n* steps; see to those that ended."""
    first = counts[part, NEXT]
    w = min(tile.shape[1], counts[part, ACTIVE] - first)
    wide = (w + goal.group - 1) // goal.group * goal.group
    for i in range(layout.own):
        for j in range(w):
            put(tile, OWN, i, j, get(rows, SLICE, part * layout.own + i, first + j))
        for j in range(w, wide):
            put(tile, OWN, i, j, get(rows, SLICE, part * layout.own + i, first))
    for i in range(layout.shared):
        tile[layout.scalars + i, 0] = scalars[part, BEFORE, i]
    for k in range(3):
        if goal.limits[k] > -math.inf:
            for j in range(wide):
                put(tile, LOW, layout.low + k, j, math.inf)
    # Row mark holds 1 + the status of the runs that end here, and 0 for the others.
    mark = tile.dtype.type(1 + MAX_STEPS if over else 0)
    for j in range(wide):
        put(tile, MARK, layout.mark, j, mark)
    watched = False
    if targets is not None:  # numba leaves such branches out where it is None
        watched = part == RUNS and any_ahead(targets, first, w)
        if watched:
            forget_least(tile, layout, wide)
    # At the very end one step too many, for what the block sees of the last point.
    _run(
        watcher if watched else block, tile, layout, q, minima, rates, lanes, counts, goal,
        targets, out, part, first, w, wide, t, n + over, watched,
    )  # fmt: skip
    for i in range(layout.shared):
        scalars[part, AFTER, i] = tile[layout.scalars + i, 0]
    _mark_converged(tile, layout, goal.limits, wide)
    hits = 0
    for j in range(w):
        hits += get(tile, MARK, layout.mark, j) != 0.0
    for i in range(layout.changing):
        for j in range(w):
            old = get(rows, SLICE, part * layout.own + i, first + j)
            new = get(tile, OWN, i, j)
            kept = new if get(tile, MARK, layout.mark, j) == 0.0 else old
            put(rows, SLICE, part * layout.own + i, first + j, kept)
    if hits > 0:
        begin = counts[part, HITS]
        end = begin
        for j in range(w):
            # Without a branch, which would be guessed wrong for every second hit.
            lanes[part, HIT, end] = first + j
            end += get(tile, MARK, layout.mark, j) != 0.0
        counts[part, HITS] = end
        if n > 1:
            _set_aside(rows, lanes, counts, layout.own, part, begin, end)
        else:
            _write(tile, layout, rows, lanes, goal, targets, out, part, first, begin, end, t, n)
    counts[part, NEXT] = first + w
    return w


def _run(
    block, tile, layout, q, minima, rates, lanes, counts, goal, targets, out, part, first, w, wide,
    t, n, watched,
):  # fmt: skip
    """The window's steps, in one piece or cut where a step is recorded or escape looked for."""
    steps = goal.record_steps
    record = steps.shape[0]
    if part == RUNS:
        # The first step to record after t, by bisection: there may be millions.
        record, beyond = 0, steps.shape[0]
        while record < beyond:
            middle = (record + beyond) // 2
            if steps[middle] <= t:
                record = middle + 1
            else:
                beyond = middle
    at, end = t, t + n
    while True:
        if at < end:
            to = min(end, (at // goal.check + 1) * goal.check)
            recorded = record < steps.shape[0] and steps[record] <= to
            to = steps[record] if recorded else to
            if goal.factors.shape[0] > 0:
                for k in range(min(to, goal.max_steps) - at):
                    rates[0, k] = goal.factors[at + k]
            if call_address(block, (tile, layout, q, minima, rates, wide, at, to - at)):
                counts[RUNS, RAISED] = 1
            if targets is not None and watched:
                which, found = lanes[RUNS, WHICH], lanes[RUNS, HIT, counts[RUNS, HITS] :]
                keep_reached(
                    tile, layout, targets, which, found, first, w, out.first, at, to - at
                )  # fmt: skip
            if recorded:
                for j in range(w):
                    run = out.first + lanes[part, WHICH, first + j]
                    for i in range(layout.dim):
                        out.trajectory[record, run, i] = tile[i, j]
                record += 1
            at = to
        # Not after the extra step: that point is nobody's.
        if (at == end or at % goal.check == 0) and end <= goal.max_steps:
            _mark_far(tile, layout, goal.limits[6], wide)
        if at == end:
            return


def _mark_far(tile, layout, escape, wide):
    """Mark the runs that have a coordinate that is not finite or beyond *escape*."""
    mark = tile.dtype.type(1 + DIVERGED)
    for i in range(layout.dim):
        for j in range(wide):
            # Both are read before the choice: a read inside it would be a branch, and the
            # loop five times slower. So in all these loops.
            old, x = get(tile, MARK, layout.mark, j), get(tile, OWN, i, j)
            put(tile, MARK, layout.mark, j, old if math.fabs(x) <= escape else mark)


def _mark_converged(tile, layout, limits, wide):
    """Mark the runs in which the block saw a criterion met: that was before they were far."""
    mark = tile.dtype.type(1 + CONVERGED)
    for k in range(3):
        limit, offset = limits[k], limits[3 + k]
        if limit > -math.inf:
            for j in range(wide):
                old = get(tile, MARK, layout.mark, j)
                seen = get(tile, LOW, layout.low + k, j) - offset
                put(tile, MARK, layout.mark, j, mark if seen <= limit else old)


# -- the end of a run --------------------------------------------------------------------


def _set_aside(rows, lanes, counts, own, part, begin, end):
    """Copy the hits from *begin* to *end*, as at the window's start, to the next slice."""
    to = counts[part + 1, ACTIVE]
    for i in range(own):
        for h in range(begin, end):
            x = get(rows, SLICE, part * own + i, lanes[part, HIT, h])
            put(rows, SLICE, (part + 1) * own + i, to + h - begin, x)
    for h in range(begin, end):
        lanes[part + 1, WHICH, to + h - begin] = lanes[part, WHICH, lanes[part, HIT, h]]
    counts[part + 1, ACTIVE] = to + end - begin


def _write(tile, layout, rows, lanes, goal, targets, out, part, first, begin, end, t, n):
    """Write the results of hits that ended in a window of at most one step."""
    diverged = tile.dtype.type(1 + DIVERGED)
    for h in range(begin, end):
        lane = lanes[part, HIT, h]
        run = out.first + lanes[part, WHICH, lane]
        mark = get(tile, MARK, layout.mark, lane - first)
        # It has diverged at the window's end, which is in the tile, or else at its start.
        out.steps[run] = t + n if mark == diverged else t
        out.status[run] = int(mark) - 1
        if targets is not None:
            take_back(targets, lanes[part, WHICH, lane], out.first, out.steps[run])
    for i in range(layout.dim):
        for h in range(begin, end):
            lane = lanes[part, HIT, h]
            run = out.first + lanes[part, WHICH, lane]
            before = get(rows, SLICE, part * layout.own + i, lane)
            now = get(tile, OWN, i, lane - first)
            out.x[run, i] = (
                now if get(tile, MARK, layout.mark, lane - first) == diverged else before
            )
    # What was recorded of this window before its end was known is put right.
    for record in range(goal.record_steps.shape[0] - 1, -1, -1):
        if goal.record_steps[record] < t:
            break
        for h in range(begin, end):
            run = out.first + lanes[part, WHICH, lanes[part, HIT, h]]
            if goal.record_steps[record] >= out.steps[run]:
                for i in range(layout.dim):
                    out.trajectory[record, run, i] = out.x[run, i]


def _swap_out(rows, lanes, counts, targets, own, part):
    """End a window: put the last columns in use in the place of the hits."""
    for h in range(counts[part, HITS] - 1, -1, -1):
        # Descending, so that the last column in use is never itself a hit still to go.
        last = counts[part, ACTIVE] - 1
        lane = lanes[part, HIT, h]
        if lane < last:
            lanes[part, WHICH, lane] = lanes[part, WHICH, last]
            if targets is not None and part == RUNS:
                targets.ahead[lane] = targets.ahead[last]
            for i in range(own):
                put(rows, SLICE, part * own + i, lane, get(rows, SLICE, part * own + i, last))
        counts[part, ACTIVE] = last
    counts[part, HITS] = 0
    counts[part, NEXT] = 0
