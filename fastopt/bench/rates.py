"""The engine's own rate, and the share of this machine's limits that it reaches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastopt as fo
from fastopt import memory
from fastopt.bench.comparison import starts_within
from fastopt.bench.limits import Limits, Needs
from fastopt.ensembles import Objective
from fastopt.kernels.block import build_block
from fastopt.kernels.operations import Operations, count_operations
from fastopt.kernels.parts import Watch
from fastopt.kernels.tile import group_lanes

RULES = ("gradient_descent", "momentum", "adam")
ROSENBROCK = "rosenbrock"
"""What the rules are run on, but for the cases that say otherwise."""
# Nothing diverges at these on 2-D Rosenbrock: a run that did would stop costing work.
RATE = 1e-4
RATES = dict.fromkeys(("adam", "nadam", "adabelief", "adan"), 1e-3)
# Enough runs of few steps that starts and results are more than the caches hold.
_FEW_STEPS, _MANY, _BYTES = 8, 10, 80
# A dense quadratic, the same for all runs.
_DIM, _QUADRATIC_STARTS, _QUADRATIC_RATE = 96, 4096, 0.1


@dataclass(frozen=True)
class Case:
    """Runs whose rate is measured; all steps are taken."""

    rule: fo.rules.Rule
    surface: Objective
    what: str
    starts: Any
    steps: int
    path: str | None = None

    def run(self, threads: int) -> fo.Runs:
        """Run it."""
        options: dict[str, Any] = {"stop": None, "path": self.path, "threads": threads}
        return fo.run(self.rule, self.surface, self.starts, max_steps=self.steps, **options)


@dataclass(frozen=True)
class Reached:
    """A rate, and what there is of the machine to reach."""

    rule: str
    what: str
    starts: int
    steps: int
    rate: float
    """Start-steps a second."""
    diverged: float
    """The share of runs, which then cost no more work; their steps are not counted."""
    operations: Operations | None
    """In vectors, of a start-step; None where they cannot be counted."""
    bytes: float
    """Of starts and results, a start-step."""
    products: float
    """Multiply-adds in a matrix product, a start-step."""
    unit: str | None
    """What is scarcest; None where it is not known what a step takes."""
    limit: float | None
    """The rate that it would allow if nothing else took time."""

    @property
    def share(self) -> float | None:
        """The share of the limit that is reached."""
        return None if self.limit is None else self.rate / self.limit


def made_rule(name: str) -> fo.rules.Rule:
    """The rule at a learning rate with which nothing diverges on 2-D Rosenbrock."""
    cls = fo.rules.registry[name]
    if "learning_rate" not in cls.parameter_names():
        return fo.rules.get(name)
    return fo.rules.get(name, learning_rate=RATES.get(name, RATE))


def cases(rules: list[str], n: int, steps: int) -> list[Case]:
    """Each of the rules from *n* starts; many short runs; and a matrix shared by all runs.

    Raises
    ------
    MemoryError
        There is no room for that many starts, and as many results.
    """
    most = _MANY * n
    memory.require(most * _BYTES, f"a batch of {most:,} runs", "take fewer: --starts")
    surface, descent = fo.Rosenbrock(), made_rule("gradient_descent")
    quadratic = fo.RandomQuadratics(_DIM, count=1, seed=1)
    few = min(_QUADRATIC_STARTS, n)
    from_few = starts_within(few, dim=_DIM)
    slow = fo.GradientDescent(_QUADRATIC_RATE)
    return [
        *(Case(made_rule(name), surface, ROSENBROCK, starts_within(n), steps) for name in rules),
        Case(descent, surface, f"{_FEW_STEPS} steps each", starts_within(most), _FEW_STEPS),
        Case(slow, quadratic, f"quadratic {_DIM}-D", from_few, max(steps // 5, 1), "shared"),
    ]


def reached(case: Case, limits: Limits, threads: int, least: float) -> Reached:
    """Measure a case for *least* seconds or more; its rate is the best that was seen."""
    runs = case.run(threads)
    seconds = best_seconds(lambda: case.run(threads), least)
    taken = int(runs.steps.sum())
    operations, products = _operations(case), 0.0
    if case.path == "shared":
        operations, products = Operations(), float(case.surface.dim**2)
    results = (runs.x, runs.fun, runs.grad_norm, runs.steps, runs.status)
    moved = (case.starts.nbytes + sum(part.nbytes for part in results)) / taken
    bound = None
    if operations is not None:
        bound = limits.bound(Needs(operations, moved, products))
    return Reached(
        rule=case.rule.name,
        what=case.what,
        starts=runs.steps.size,
        steps=case.steps,
        rate=taken / seconds,
        diverged=float(np.mean(runs.status == fo.Status.DIVERGED)),
        operations=operations,
        bytes=moved,
        products=products,
        unit=bound and bound.unit,
        limit=bound and bound.rate,
    )


def _operations(case: Case) -> Operations | None:
    """Those of the block that runs the case, if all its steps are alike."""
    parts = case.rule.parts()
    surface = case.surface.way(case.path, case.rule, None, len(case.starts)).parts
    if parts.iterate is not None or not surface.fused:
        return None
    block = build_block(parts, surface, Watch(), False, "float64")
    return count_operations(block, group_lanes(parts, surface, "float64"))


def best_seconds(call: Callable[[], Any], least: float) -> float:
    """The least time of some calls that together take *least* seconds; of three, if not long."""
    seconds: list[float] = []
    while sum(seconds) < least or (len(seconds) < 3 and sum(seconds) < 4 * least):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)
