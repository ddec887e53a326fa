"""How long chunks are to be: some seconds of work each.

It decides how a study is cut, never what comes of it.
"""

from __future__ import annotations

import math
import time

from fastopt.part import Part
from fastopt.rules import Rule
from fastopt.run import run
from fastopt.study.plan import Plan

# Seconds of one thread's work: for a study of some minutes, and within what bounds.
_CHUNKS = 32
_SHORTEST, _LONGEST = 1.0, 10.0
# Shorter chunks would leave lanes of a tile empty.
_LEAST_RUNS = 64
# A trial is long enough to be measured after _ENOUGH seconds, and ended after _PATIENCE.
_ENOUGH, _PATIENCE = 0.02, 0.1


class _EnoughError(Exception):
    pass


def choose_lengths(plan: Plan) -> list[int]:
    """Runs a chunk for each group of the plan, in its order."""
    costs = {
        (rule, surface): _seconds_a_run(plan, rule, surface)
        for rule in plan.rules
        for surface in plan.surfaces
    }
    sizes = [plan.settings[r, s].size * plan.starts_of(s) for r, s, _ in plan.keys]
    each = [costs[rule, surface] for rule, surface, _ in plan.keys]
    total = math.fsum(n * cost for n, cost in zip(sizes, each, strict=True))
    seconds = min(max(total / _CHUNKS, _SHORTEST), _LONGEST)
    return [
        min(max(int(seconds / cost), _LEAST_RUNS), size)
        for size, cost in zip(sizes, each, strict=True)
    ]


def _seconds_a_run(plan: Plan, rule: str, surface: str) -> float:
    """The mean over the first, middle and last settings, on one thread."""
    settings = plan.settings[rule, surface]
    chosen = sorted({0, settings.size // 2, settings.size - 1})
    options = plan.common.options() | {"record": None}
    first = Part(plan.starts[surface], range(1))
    run(settings.rule(0), plan.surfaces[surface], first, max_steps=0, **options)  # to compile
    times = [_trial(plan, settings.rule(number), surface) for number in chosen]
    return sum(times) / len(times)


def _trial(plan: Plan, rule: Rule, surface: str) -> float:
    n = _LEAST_RUNS
    while True:
        n = min(n, plan.starts_of(surface))
        begun, share = time.perf_counter(), 0.0

        def note(done: float) -> None:
            nonlocal share
            share = done
            if time.perf_counter() - begun > _PATIENCE:  # noqa: B023 (called in this turn)
                raise _EnoughError

        try:
            run(
                rule,
                plan.surfaces[surface],
                Part(plan.starts[surface], range(n)),
                max_steps=plan.max_steps[surface],
                seed=plan.seeds[0],
                threads=1,
                progress=note,
                **plan.common.options(),
            )
            share = 1.0
        except _EnoughError:
            pass
        seconds = time.perf_counter() - begun
        if share < 1.0 or seconds > _ENOUGH or n == plan.starts_of(surface):
            return seconds / (n * max(share, 1e-6))
        n *= 4
