"""A batch cut into slices, advanced by threads.

Which thread takes which slice, and how long the slices are, changes no bit of a result: a
run depends on its own numbers alone.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastopt.batch import Batch, Picked
from fastopt.ensembles import Objective, RandomQuadratics
from fastopt.factors import Factors
from fastopt.kernels.block import build_block
from fastopt.kernels.driver import (
    ACTIVE,
    COUNTS,
    DIVERGED,
    PENDING,
    RAISED,
    SLICES,
    STEP,
    Goal,
    Out,
    build_driver,
)
from fastopt.kernels.parts import RuleParts, Watch
from fastopt.kernels.philox import seed_digits
from fastopt.kernels.randomness import run_digits
from fastopt.kernels.targets import HISTORY_ROWS, Targets
from fastopt.kernels.tile import group_lanes, lane_count, make_layout
from fastopt.memory import Scratch, allocate
from fastopt.noise import Noise
from fastopt.rules import Rule
from fastopt.stopping import target_levels
from fastopt.surfaces.ways import Load, Way
from fastopt.survey import Surveyor
from fastopt.workers import StoppedError, share_out

# A slice is read once a window, so it need not fit a cache; the longer it is, the less its
# last few unfinished runs weigh. Memory: one slice a thread.
_SLICE_BYTES = 256 << 10
_MOST_RUNS = 1 << 16
# Runs times targets in a slice, which are set to -1 at once: 64 MB.
_MOST_TARGETS = 1 << 23
# Without criteria, up to so many coordinates, so many times as long: 15% of gradient descent.
_LONG, _LONG_DIM = 8, 16
# Members of an ensemble that a slice holds at a time, in bytes.
_MEMBER_BYTES = 8 << 20
# A window longer than this in coordinates would keep Ctrl-C waiting.
_WINDOW = HISTORY_ROWS
_WINDOW_COORDINATES = _WINDOW * 256
# The driver comes back this often, for Ctrl-C and the progress bar; in seconds.
_PERIOD = 0.03
_FIRST_BUDGET = 1 << 17
# Less work than this, in coordinate-steps, is done before a second thread has started.
_LEAST_SHARED = 4_000_000
# As much as this is evaluated at a time when runs have ended, in the same unit.
_SURVEYED = 1 << 25


class Loaded(NamedTuple):
    """What some runs need of the surface, at the dtype of the run."""

    load: Load
    which: NDArray[np.int64]  # the member of each run, among those loaded
    numbers: NDArray[Any]  # q, if all share it; of the noise; the seed
    minima: NDArray[Any]
    given: NDArray[Any]  # q, if each has its own


class Task:
    """All that the threads share: the batch, the compiled code, and where results go."""

    def __init__(
        self,
        rule: Rule,
        surface: Objective,
        way: Way,
        batch: Batch | Picked,
        dtype: str,
        max_steps: int,
        watch: Watch,
        limits: NDArray[Any],
        escape: float,
        record_steps: NDArray[np.int64],
        targets: NDArray[np.float64],
        noise: Noise | None,
        seed: int,
    ):
        self.rule, self.surface, self.batch, self.dtype = rule, surface, batch, dtype
        self.way, self.noise = way, noise
        self.parts, parts, dim = rule.parts(), way.parts, surface.dim
        self.max_steps = max_steps
        noisy = None if noise is None else noise.parts(rule, surface)
        # Of mini-batches, unless all rows are needed in each step for a criterion.
        sampled = noisy is not None and noisy.sample is not None
        every = not sampled or watch.gradient or watch.value or len(targets) > 0
        self.work = max(dim, parts.work if every else 0, noisy.work if noisy else 0)
        self.check = max(1, min(_WINDOW, _WINDOW_COORDINATES // self.work))
        # Runs that only escape may end are rewound rarely, however long the window.
        free = watch == Watch() and self.work <= _LONG_DIM
        self.window = self.check * (_LONG if free else 1)
        self.factors = Factors(rule.schedule, max_steps, dtype)
        self.record_steps = record_steps
        self.per_run = batch.per_run or self.parts.iterate is not None
        self.random = noise is not None or self.parts.draws
        self._seed = seed_digits(seed) if self.random else []
        self._whole: Loaded | None = None
        pair = (self.parts, parts)
        self.block = self.watcher = build_block(*pair, watch, self.per_run, dtype, noisy)
        if len(targets):
            watching = replace(watch, targets=True)
            self.watcher = build_block(*pair, watching, self.per_run, dtype, noisy)
        self.driver = build_driver(dtype, len(targets) > 0)
        self.survey = Surveyor(parts, dim, dtype)
        scratch = parts.scratch_for(self.parts.uses_hessian)
        self.layout = make_layout(
            self.parts,
            max(scratch, noisy.scratch if noisy else 0),
            dim,
            self.per_run,
            self.random,
            given=parts.own,
            history=HISTORY_ROWS if len(targets) else 0,
        )
        # What is padded to this must do for either block.
        groups = [group_lanes(self.parts, parts, dtype, some) for some in (False, len(targets) > 0)]
        self.group = math.lcm(*groups)
        with np.errstate(over="ignore"):
            offset = surface.fun_min if watch.value else 0.0
            if way.turned:
                # No coordinate is beyond escape but one along an eigenvector is beyond this.
                escape *= (1.0 - 1e-9) / math.sqrt(dim)
            escape = min(escape, float(np.finfo(dtype).max))
            bounds = np.array([*limits, 0.0, offset, 0.0, escape], dtype)
        self.goal = Goal(
            limits=bounds,
            record_steps=record_steps,
            factors=np.zeros(0, dtype),
            max_steps=max_steps,
            window=self.window,
            middle=max(1, math.isqrt(self.window)),
            check=self.check,
            group=self.group,
        )
        n, records = batch.size, len(record_steps)
        results = allocate(
            {
                "x": ((n, dim), dtype),
                "fun": ((n,), dtype),
                "grad_norm": ((n,), dtype),
                "steps": ((n,), "int64"),
                "status": ((n,), "int8"),
                "target_steps": ((n, len(targets)), "int64"),
            }
        )
        self.x, self.fun, self.grad_norm, self.steps = list(results.values())[:4]
        self.status, self.target_steps = list(results.values())[4:]
        self.levels = target_levels(targets, surface, dtype)
        self.places = np.argsort(-targets, kind="stable")
        self.status[:] = PENDING
        self.trajectory = np.empty((records, n, dim), dtype)
        self.trajectory_fun = np.empty((records, n), dtype)

    def loaded(self, a: int, b: int) -> Loaded:
        """What the runs a to b - 1 need of the surface."""
        if self.surface.count is not None:
            members, which = np.unique(self.batch.members(a, b), return_inverse=True)
            return self._load(members, which)
        if self._whole is None:  # two threads may both make it, the same
            self._whole = self._load(np.zeros(1, np.int64), np.zeros(0, np.int64))
        return self._whole._replace(which=np.zeros(b - a, np.int64))

    def _load(self, members: NDArray[np.int64], which: NDArray[np.int64]) -> Loaded:
        load, noise, surface = self.way.load(members), self.noise, self.surface
        own: Any = []
        if noise is not None:
            one: Any = surface
            if noise.uses_hessian and isinstance(surface, RandomQuadratics):
                one = surface.member(int(members[0]))
            own = noise.numbers(one)
        with np.errstate(over="ignore"):
            return Loaded(
                load,
                which,
                np.concatenate([load.numbers, own, self._seed], dtype=self.dtype),
                np.array(load.minima, self.dtype).reshape(-1, surface.dim),
                np.array(load.given, self.dtype),
            )


def smallest_workspace(rule: RuleParts, way: Way, dim: int, dtype: str) -> int:
    """The bytes that a thread needs to advance the fewest runs at a time."""
    parts = way.parts
    scratch = parts.scratch_for(rule.uses_hessian)
    layout = make_layout(rule, scratch, dim, True, given=parts.own)
    lanes = group_lanes(rule, parts, dtype)
    rows = layout.rows + SLICES * layout.own
    return rows * lanes * np.dtype(dtype).itemsize + way.member_bytes


class Workspace:
    """The arrays of one thread, used for slice after slice."""

    def __init__(self, task: Task, length: int):
        self._task = task
        layout, dtype, step = task.layout, task.dtype, task.group
        columns = -(-length // step) * step
        width = min(lane_count(layout, dtype, step), columns)
        recorded = length if len(task.record_steps) else 0
        targeted = columns if len(task.levels) else 0
        self._scratch = Scratch(
            {
                "tile": ((layout.rows, width), dtype),
                "survey_tile": (task.survey.tile_shape, dtype),
                "rates": ((1 + task.parts.scalars, task.check), dtype),
                "rows": ((SLICES * layout.own, columns), dtype),
                "lanes": ((SLICES, 2, columns), "int64"),
                "ignored": ((recorded,), dtype),
                "ahead": ((targeted,), dtype),
                "reached": ((targeted,), "int64"),
            }
        )
        arrays = self._scratch.arrays
        self._tile, self._survey_tile, self._rates = list(arrays.values())[:3]
        self._rows, self._lanes, self._ignored, ahead, reached = list(arrays.values())[3:]
        levels = np.append(task.levels[task.places], task.levels.dtype.type(np.nan))
        targets = Targets(levels, task.places, task.target_steps, ahead, reached)
        self._targets = targets if targeted else None
        self._rates[0] = 1.0
        self._counts = np.zeros((SLICES, COUNTS), np.int64)
        self._scalars = np.zeros((SLICES, 2, layout.shared), dtype)
        self._out = Out(task.x, task.steps, task.status, task.trajectory, 0)
        # Run-steps of the next call: few at first, then as many as _PERIOD allows.
        self._budget = max(_FIRST_BUDGET // task.work, 1)

    def close(self) -> None:
        """Leave the memory to the next workspace."""
        self._scratch.close()

    def run(self, a: int, b: int, report: Callable[[float], None]) -> None:
        """Advance the runs a to b - 1 to their end; *report* gets the share that is done."""
        task, counts = self._task, self._counts[0]
        loaded = task.loaded(a, b)
        self._begin(a, b, loaded)
        while counts[ACTIVE] > 0:
            goal = task.goal
            if task.factors:
                factors = task.factors.upto(int(counts[STEP]) + task.window)
                goal = goal._replace(factors=factors)
            begun = time.perf_counter()
            task.driver.call(
                task.block.address,
                task.watcher.address,
                self._tile,
                task.layout,
                loaded.numbers,
                loaded.minima,
                self._rates,
                self._rows,
                self._lanes,
                self._counts,
                self._scalars,
                goal,
                self._targets,
                self._out,
                self._budget,
            )
            if counts[RAISED]:
                raise RuntimeError(
                    f"{task.rule!r} or {task.surface!r} raised an exception inside a kernel "
                    "(an assert?); kernel functions must not, statuses say what happened"
                )
            waits = 0 < len(goal.factors) < counts[STEP] + task.window
            if counts[ACTIVE] > 0 and not waits:  # the budget was spent: time tells its worth
                taken = max(time.perf_counter() - begun, 1e-9)
                self._budget = min(max(1, int(self._budget * min(_PERIOD / taken, 16.0))), 1 << 50)
            active = float(counts[ACTIVE]) * (1 - counts[STEP] / max(task.max_steps, 1))
            report(1 - active / (b - a))  # also where Ctrl-C gets through
        self._finish(a, b, loaded, report)

    def _evaluate(
        self,
        loaded: Loaded,
        points: NDArray[Any],
        fun: NDArray[Any],
        norm: NDArray[Any],
        report: Callable[[float], None],
    ) -> None:
        """Value and gradient norm at points, in parts between which Ctrl-C gets through."""
        task, lanes = self._task, self._survey_tile.shape[1]
        length = max(_SURVEYED // task.way.parts.work_at(points.shape[1]), lanes)
        surface = (self._survey_tile, loaded.numbers, loaded.given)
        for k in range(0, len(points), length):
            part = slice(k, k + length)
            task.survey(*surface, loaded.which[part], points[part], fun[part], norm[part])
            report(1.0)

    def _finish(self, a: int, b: int, loaded: Loaded, report: Callable[[float], None]) -> None:
        """Values and norms at the last points and at those recorded; all of them turned back."""
        task, which = self._task, loaded.which
        self._evaluate(loaded, task.x[a:b], task.fun[a:b], task.grad_norm[a:b], report)
        if self._targets:
            self._look_at_far_points(a, b)
        points = [(task.x[a:b], task.steps[a:b] == 0)]
        for k, step in enumerate(task.record_steps):
            kept = task.trajectory[k, a:b]
            fun = task.trajectory_fun[k, a:b]
            self._evaluate(loaded, kept, fun, self._ignored[: b - a], report)
            points += [(kept, (task.steps[a:b] == 0) | (step == 0))]
        if not task.way.turned:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            starts = task.batch.starts(a, b)
            for point, at_start in points:
                point[:] = loaded.load.leave(point, which)
                point[at_start] = starts[at_start]  # and not to rounding
                report(1.0)

    def _begin(self, a: int, b: int, loaded: Loaded) -> None:
        task, layout, n = self._task, self._task.layout, b - a
        x = self._rows[: layout.dim, :n]
        with np.errstate(over="ignore", invalid="ignore"):
            x[:] = loaded.load.enter(task.batch.starts(a, b), loaded.which).T
        if task.way.parts.own:
            self._rows[layout.given : layout.parameters, :n] = loaded.given[:, loaded.which]
        p = task.batch.parameters(a, b)
        slots = self._rows[layout.slots : layout.memory, :n]
        slots[task.parts.slots * layout.dim :] = 0.0
        for k, value in enumerate(task.rule.initial_slots(p, x)):
            slots[k * layout.dim : (k + 1) * layout.dim] = value
        for k, number in enumerate(task.rule.memory):
            self._rows[layout.memory + k, :n] = number
        if task.random:
            digits = run_digits(task.batch.numbers_of(a, b))
            self._rows[layout.run : layout.given, :n] = digits
        if task.per_run:
            for k, number in enumerate(p):
                self._rows[layout.parameters + k, :n] = number
            for k, number in enumerate(task.rule.scalars):
                self._rows[layout.scalars + k, :n] = number
        else:
            self._tile[layout.parameters : layout.parameters + len(p), 0] = p
            self._scalars[0, 0] = task.rule.scalars
        self._lanes[0, 0, :n] = np.arange(n)
        self._counts[:] = 0
        self._counts[0, ACTIVE] = n
        self._out = self._out._replace(first=a)
        if len(task.record_steps) and task.record_steps[0] == 0:
            task.trajectory[0, a:b] = x.T
        if self._targets:
            task.target_steps[a:b] = -1
            self._targets.ahead[:n] = self._targets.levels[0]
            self._targets.reached[:] = 0

    def _look_at_far_points(self, a: int, b: int) -> None:
        """Count the points at which runs diverged, which no step began from."""
        task = self._task
        far = a + np.flatnonzero(task.status[a:b] == DIVERGED)
        if not len(far):
            return
        steps = task.target_steps[far]
        first = (task.fun[far, None] <= task.levels) & (steps < 0)
        task.target_steps[far] = np.where(first, task.steps[far][:, None], steps)


def _cuts(task: Task, threads: int) -> tuple[list[int], int]:
    """Where slices begin and the last ends, and the runs of the longest."""
    batch, group, way = task.batch, task.group, task.way
    run_bytes = task.layout.own * np.dtype(task.dtype).itemsize
    # Fewer than a group would leave lanes of its tile empty.
    longest = min(max(_SLICE_BYTES // run_bytes // group, 1) * group, _MOST_RUNS)
    if len(task.levels):
        longest = min(longest, max(_MOST_TARGETS // len(task.levels), group))
    ensemble = task.surface.count is not None
    if ensemble:
        members = max(_MEMBER_BYTES // way.member_bytes, 1)
        longest = min(longest, max(members * batch.each, group))
    n = batch.each if ensemble and way.apart else batch.size
    # As many slices as make every thread equally busy, of equal length.
    count = -(-n // (longest * threads)) * threads
    length = -(-n // min(count, n))
    cuts = [a for first in range(0, batch.size, n) for a in range(first, first + n, length)]
    return [*cuts, batch.size], length


def run_slices(task: Task, threads: int, report: Callable[[float], None]) -> None:
    """Advance the whole batch, on up to *threads* threads, the calling one among them."""
    n = task.batch.size
    if n == 0:
        return
    if n * task.work * max(task.max_steps, 1) < _LEAST_SHARED:
        threads = 1
    cuts, length = _cuts(task, threads)
    done = [0.0]
    count = len(cuts) - 1
    pending = iter(range(count))
    lock = threading.Lock()
    stop = threading.Event()

    def work() -> None:
        with closing(Workspace(task, length)) as space:
            while not stop.is_set():
                with lock:
                    number = next(pending, None)
                if number is None:
                    return

                def note(share: float) -> None:
                    if stop.is_set():
                        raise StoppedError
                    report((done[0] + share) / count)

                space.run(cuts[number], cuts[number + 1], note)
                with lock:
                    done[0] += 1

    share_out(work, min(threads, count), stop)
    if (task.status == PENDING).any():
        raise RuntimeError("internal error: a run was lost; please report it")
