"""``fastopt.run``: a rule, a surface and a batch of starts in; what came of each run out."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastopt import memory
from fastopt.batch import Batch, Picked
from fastopt.checks import whole
from fastopt.ensembles import Objective, RandomQuadratics
from fastopt.kernels.compile import DTYPES
from fastopt.kernels.parts import Watch
from fastopt.noise import Noise
from fastopt.progress import Bar
from fastopt.rules import Rule
from fastopt.runs import Runs, Status
from fastopt.slices import Task, run_slices, smallest_workspace
from fastopt.starts import Starts
from fastopt.stopping import Record, Stop, check_targets
from fastopt.surfaces import Surface
from fastopt.surfaces.ways import Way
from fastopt.workers import processors

# A run of 10^12 steps takes an hour at the very least.
_MOST_STEPS = 10**12


def run(
    rule: Rule,
    surface: Objective,
    starts: ArrayLike | Starts,
    *,
    max_steps: int = 10_000,
    stop: Stop | None = Stop(gradient=1e-8),  # noqa: B008 (immutable)
    record: Record | None = None,
    targets: ArrayLike | None = None,
    noise: Noise | None = None,
    seed: int = 0,
    path: str | None = None,
    dtype: DTypeLike = "float64",
    threads: int | None = None,
    progress: bool | Callable[[float], None] = False,
) -> Runs:
    """Advance every start by *rule* on *surface* until it has converged or diverged.

    A run's result depends on its rule, surface and start alone: it has the same bits for any
    number of threads and whatever other runs there are.

    Parameters
    ----------
    rule : Rule
        E.g. ``fo.Adam(learning_rate=0.1)``. A parameter may be an array: one value a run.
    surface : Surface or RandomQuadratics
        E.g. ``fo.Rosenbrock(dim=2)``. An ensemble puts its count in front of the batch's shape;
        :class:`fastopt.RandomQuadratics` says how starts and parameters go with its members.
    starts : array_like, shape (..., dim), or Starts
        Real numbers; a start that is not finite diverges at step 0. The batch's shape is that
        of ``starts.shape[:-1]`` and of the rule's parameters, broadcast.
    max_steps : int, default 10,000
        The most steps that a run takes, 0 to 10^12.
    stop : Stop or None, default ``Stop(gradient=1e-8)``
        When a run has converged. None: every run takes *max_steps* steps unless it diverges.
    record : Record, optional
        Steps at which to keep all iterates and values.
    targets : array_like, shape (k,), optional
        Values above ``surface.fun_min``, finite and >= 0, in any order, at most 10,000 of
        them: the first step t at which f(x_t) - fun_min is at most each is kept for every
        run, t = 0 being the start; both sides are rounded to *dtype*. In units of f. E.g.
        ``np.logspace(2, -8, 51)``. 8 bytes a run and target.
    noise : Noise, optional
        What the rule sees of the gradient or the value: :mod:`fastopt.noise`. Stop criteria and
        results are those of the exact ones.
    seed : int, default 0
        Of what is random in the runs, from 0 to 2^64 - 1. A run's random numbers depend on
        the seed, its index in the batch and the step alone.
    path : {"eigenbasis", "shared", "own"}, optional
        How to run on quadratics: in the eigenbasis of the matrix, where a step costs dim
        operations and not dim² (rules that commute with rotations, without noise; any where the
        eigenvectors are the axes); with a matrix that all runs of a tile share; or with one for
        each run. By default the cheapest. The last two have the same bits; the first agrees
        with them to rounding.
    dtype : {"float64", "float32"}, default "float64"
        Of all arithmetic and results.
    threads : int, optional
        Threads to use; by default one for each processor that this process may use.
    progress : bool or callable, default False
        Whether to show a bar on the terminal, if it takes longer than a second. A function is
        called instead with the share that is done, some 30 times a second, from any of the
        threads; what it raises ends the run.

    Returns
    -------
    Runs

    Raises
    ------
    TypeError, ValueError
        An argument is of the wrong kind, shape or range; nothing has run then.
    MemoryError
        The results do not fit into the memory that is free.
    KeyboardInterrupt
        Ctrl-C, within 0.2 s.

    Examples
    --------
    >>> import fastopt as fo
    >>> starts = fo.starts.Uniform([-6, -6], [6, 6], n=1000, seed=1)
    >>> runs = fo.run(fo.GradientDescent(0.01), fo.Himmelblau(), starts)
    >>> runs.x.shape, bool(runs.success.all())
    ((1000, 2), True)
    >>> runs = fo.run(fo.GradientDescent(0.25), fo.Sphere(2), [1.0, 0.0], targets=[1, 0.1, 1e-9])
    >>> runs.target_steps  # x is halved at each step, and f is x**2
    array([ 0,  2, 15])
    """
    _check_kinds(rule, surface, stop, record, noise)
    max_steps = whole("run", "max_steps", max_steps, 0, _MOST_STEPS)
    seed = whole("run", "seed", seed, 0, 2**64 - 1)
    name = _dtype_name(dtype)
    workers = processors() if threads is None else whole("run", "threads", threads, 1, 4096)
    _check_rounded(rule, name)
    if noise is not None:
        noise.check(rule, surface)
    batch = Batch(rule, surface, starts)
    way = surface.way(path, rule, noise, batch.each)
    _check_hessian(rule, surface, way)
    watch, limits, escape = Watch(), np.full(3, -np.inf, name), Stop().escape
    if stop is not None:
        stop.check(surface)
        watch, limits, escape = stop.watch, stop.limits(name), stop.escape
    levels = check_targets(targets, surface)
    records = 0 if record is None else record.count(max_steps)
    _check_memory(rule, batch, way, surface, name, records, len(levels))
    recorded = np.zeros(0, np.int64) if record is None else record.resolve(max_steps)

    def task_of(way: Way, batch: Batch | Picked) -> Task:
        goal = (max_steps, watch, limits, escape, recorded, levels)
        return Task(rule, surface, way, batch, name, *goal, noise, seed)

    task = task_of(way, batch)
    bar = Bar(progress)
    begun = time.perf_counter()
    try:
        run_slices(task, workers, lambda share: bar.show(share, f"of {batch.size:,} runs"))
        if way.turned:
            far = np.flatnonzero(task.status == Status.DIVERGED)
            _run_again(task, batch, far, task_of, workers)
    finally:
        bar.close()
    seconds = time.perf_counter() - begun
    return _collect(task, batch, record is not None, levels if len(levels) else None, seconds)


def _run_again(
    task: Task, batch: Batch, runs: NDArray[Any], task_of: Callable[..., Task], workers: int
) -> None:
    """Run these with their matrices: whether a coordinate was beyond escape, and when."""
    if not runs.size:
        return
    surface = task.surface
    again = task_of(surface.way("own", task.rule, None, 1), Picked(batch, runs))
    run_slices(again, workers, lambda share: None)
    for name in ("x", "fun", "grad_norm", "steps", "status", "target_steps"):
        getattr(task, name)[runs] = getattr(again, name)
    for name in ("trajectory", "trajectory_fun"):
        getattr(task, name)[:, runs] = getattr(again, name)


def warmup(
    rule: Rule,
    surface: Objective,
    *,
    stop: Stop | None = Stop(gradient=1e-8),  # noqa: B008 (immutable)
    targets: ArrayLike | None = None,
    noise: Noise | None = None,
    path: str | None = None,
    dtype: DTypeLike = "float64",
) -> float:
    """Compile all that :func:`run` needs for this pair, unless it is on disk already.

    Parameters
    ----------
    rule, surface, stop, targets, noise, path, dtype
        As for :func:`run`: which criteria are given, whether there are targets, the kind of
        noise, and whether a parameter differs from run to run, decide what is compiled; the
        values do not.

    Returns
    -------
    float
        The seconds that it took.

    Examples
    --------
    >>> import fastopt as fo
    >>> seconds = fo.warmup(fo.Adam(), fo.Bowl())
    """
    begun = time.perf_counter()
    starts = [surface.usual_start]
    if isinstance(surface, RandomQuadratics):
        surface = surface.first(1)
        # Few and many starts a member are run in different ways.
        starts += [np.tile(surface.usual_start, (100, 1))]
    options: dict[str, Any] = {"stop": stop, "targets": targets, "noise": noise, "path": path}
    for start in starts:
        run(rule, surface, start, max_steps=0, dtype=dtype, **options)
    return time.perf_counter() - begun


def _collect(
    task: Task, batch: Batch, recorded: bool, targets: NDArray[np.float64] | None, seconds: float
) -> Runs:
    shape, dim = batch.shape, task.surface.dim
    k = len(task.record_steps)
    return Runs(
        x=task.x.reshape(*shape, dim),
        fun=task.fun.reshape(shape),
        grad_norm=task.grad_norm.reshape(shape),
        steps=task.steps.reshape(shape),
        status=task.status.reshape(shape),
        trajectory=task.trajectory.reshape(k, *shape, dim) if recorded else None,
        trajectory_fun=task.trajectory_fun.reshape(k, *shape) if recorded else None,
        trajectory_steps=task.record_steps if recorded else None,
        targets=targets,
        target_steps=None if targets is None else task.target_steps.reshape(*shape, len(targets)),
        rule=task.rule,
        surface=task.surface,
        max_steps=task.max_steps,
        path=task.way.name,
        seconds=seconds,
    )


def check(
    rule: Rule,
    surface: Surface,
    starts: ArrayLike | Starts,
    max_steps: int,
    stop: Stop | None,
    record: Record | None,
    targets: ArrayLike | None,
    noise: Noise | None,
    dtype: DTypeLike,
) -> None:
    """Raise whatever :func:`run` would raise of these arguments; nothing is compiled."""
    _check_kinds(rule, surface, stop, record, noise)
    max_steps = whole("run", "max_steps", max_steps, 0, _MOST_STEPS)
    _check_rounded(rule, _dtype_name(dtype))
    if noise is not None:
        noise.check(rule, surface)
    batch = Batch(rule, surface, starts)
    _check_hessian(rule, surface, surface.way(None, rule, noise, batch.each))
    if stop is not None:
        stop.check(surface)
    check_targets(targets, surface)
    if record is not None:
        record.resolve(max_steps)


def _check_kinds(rule: Any, surface: Any, stop: Any, record: Any, noise: Any) -> None:
    for name, value, kind, example in (
        ("rule", rule, Rule, "fo.Adam(learning_rate=0.1)"),
        ("surface", surface, Objective, "fo.Rosenbrock(dim=2)"),
        ("stop", stop, Stop | None, "fo.Stop(gradient=1e-8)"),
        ("record", record, Record | None, "fo.Record(every=10)"),
        ("noise", noise, Noise | None, "fo.noise.gaussian(0.1)"),
    ):
        if not isinstance(value, kind):
            hint = " (call the class)" if isinstance(value, type) else ""
            raise TypeError(f"{name}={value!r}: must be one such as {example}{hint}")


def _check_rounded(rule: Rule, dtype: str) -> None:
    """Refuse parameters that leave their range by rounding: beta2=0.99999999 in float32."""
    if dtype != "float64":
        with np.errstate(over="ignore", under="ignore"):
            rounded = [np.asarray(number, dtype).astype(float) for number in rule.numbers]
        try:
            rule.check_numbers(rounded)
        except ValueError as error:
            raise ValueError(f"{error}, also when rounded to {dtype}") from None


def _check_hessian(rule: Rule, surface: Objective, way: Way) -> None:
    if rule.uses_hessian and way.parts.hessian is None:
        raise ValueError(
            f"{rule!r}: must have a surface with a Hessian, which {surface!r} does not give; "
            "fo.BFGS() needs none"
        )


def _dtype_name(dtype: DTypeLike) -> str:
    try:
        name = np.dtype(dtype).name
    except TypeError:
        name = str(dtype)
    if name not in DTYPES:
        near = difflib.get_close_matches(name, DTYPES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"dtype={name!r}: must be 'float64' or 'float32'{hint}")
    return name


def _check_memory(
    rule: Rule,
    batch: Batch,
    way: Way,
    surface: Objective,
    dtype: str,
    records: int,
    targets: int,
) -> None:
    itemsize = np.dtype(dtype).itemsize
    least = smallest_workspace(rule.parts(), way, surface.dim, dtype)
    what = f"a run of {rule!r} in {surface.dim} coordinates"
    memory.require(least, what, "take a rule that keeps no matrix")
    result = (surface.dim + 2) * itemsize + 9 + targets * 8
    needed = batch.size * (result + records * (surface.dim + 1) * itemsize) + 8 * records
    kept = f", {records:,} steps recorded" if records else ""
    kept += f", {targets:,} targets" if targets else ""
    what = f"a batch of {batch.size:,} runs in {surface.dim} coordinates{kept}"
    fewer = ", or record fewer steps" if records else ", or take fewer targets" if targets else ""
    memory.require(needed, what, f"run it in parts{fewer}")
