"""What the rows of ``studies.py`` measure, each in a process of its own.

Only in a fresh process is the peak of memory that of the study alone.
"""

from __future__ import annotations

import json
import tempfile
import time
from functools import partial
from typing import Any

import numpy as np
from startup import fresh

import fastopt as fo
from fastopt.bench.machine import peak_memory
from fastopt.bench.timing import interleaved

# Rates at which most runs neither diverge nor end soon: most go on for thousands of steps.
RULES = {
    "gradient_descent": 1e-3,
    "momentum": 1e-4,
    "ema_momentum": 1e-3,
    "nesterov": 1e-4,
    "adagrad": 0.1,
    "rmsprop": 1e-2,
    "adam": 1e-2,
    "nadam": 1e-2,
    "adabelief": 1e-2,
    "yogi": 1e-2,
}
SURFACES = (
    "ackley",
    "beale",
    "booth",
    "bowl",
    "himmelblau",
    "rastrigin",
    "rosenbrock",
    "six_hump_camel",
    "styblinski_tang",
    "three_hump_camel",
)
TARGETS = np.logspace(2, -8, 51)
STOP = fo.Stop(gradient=1e-6)
# Starts of a batch that is run as a whole: 40 MB of results, with targets as well.
PART, TARGETED_PART = 10**6, 10**5


_ROW = """
import json, sys, study_rows
row, *given = map(json.loads, sys.argv[1:])
print(json.dumps(getattr(study_rows, row)(*given)))
"""


def measured(row: str, *given: Any) -> dict[str, float]:
    """What that function of this module found, in a process of its own.

    As after an installation: nothing is compiled.
    """
    with tempfile.TemporaryDirectory() as cache:
        return fresh(_ROW, *map(json.dumps, [row, *given]), FASTOPT_CACHE_DIR=cache)


def _himmelblau(n: int, **options: Any) -> fo.Study:
    starts = fo.starts.Uniform(-5, 5, n, dim=2)
    return fo.Study([fo.GradientDescent(0.01)], [fo.Himmelblau()], starts, stop=STOP, **options)


def _in_parts(n: int, part: int, **options: Any) -> None:
    """The runs of the same rule on the same surface from as many starts, and nothing kept."""
    rule, surface = fo.GradientDescent(0.01), fo.Himmelblau()
    for k in range(n // part):
        starts = fo.starts.Uniform(-5, 5, part, seed=k, dim=2)
        fo.run(rule, surface, starts, stop=STOP, **options)


def many_cells(starts: int, steps: int) -> dict[str, float]:
    """Ten rules x ten surfaces: seconds, compilation among them, and bytes at the peak."""
    rules = [fo.rules.get(name, learning_rate=rate) for name, rate in RULES.items()]
    surfaces = [fo.surfaces.get(name) for name in SURFACES]
    study = fo.Study(rules, surfaces, starts, max_steps=steps, targets=TARGETS)
    begun = time.perf_counter()
    result = study.run()
    seconds, peak = time.perf_counter() - begun, peak_memory()
    assert result.runs == len(RULES) * len(SURFACES) * starts
    taken = 0
    for rule in RULES:
        for surface in SURFACES:
            counts = result.counts(rule, surface)
            taken += int(counts.steps @ (counts.converged + counts.diverged + counts.censored))
    return {"seconds": seconds, "peak": peak, "steps": taken}


def many_starts(n: int, repeats: int) -> dict[str, float]:
    """Bytes at the peak of a study; its seconds, and the engine's own for as many runs."""
    study = _himmelblau(n)
    _himmelblau(PART).run()
    assert study.run().runs == n
    peak = peak_memory()
    seconds = interleaved(study.run, partial(_in_parts, n, PART), repeats=repeats)
    return {"study": seconds[0], "engine": seconds[1], "peak": peak}


def reduction(n: int, targeted: bool, repeats: int) -> dict[str, float]:
    """Seconds of a study on one thread, and of its runs alone."""
    options, part = ({"targets": TARGETS}, TARGETED_PART) if targeted else ({}, PART)
    counted = partial(_himmelblau(n, **options).run, workers=1, chunk=n // 2)
    runs = partial(_in_parts, n, part, threads=1, **options)
    seconds = interleaved(counted, runs, repeats=repeats)
    return {"study": seconds[0], "engine": seconds[1]}


def dask(n: int, repeats: int) -> dict[str, float]:
    """Seconds of a study on one and on two local workers of Dask."""
    import distributed

    def cluster(workers: int) -> distributed.LocalCluster:
        return distributed.LocalCluster(
            workers, threads_per_worker=1, dashboard_address=":0", silence_logs="ERROR"
        )

    study = _himmelblau(n)
    with (
        cluster(1) as one,
        cluster(2) as two,
        distributed.Client(one) as first,
        distributed.Client(two) as second,
    ):
        calls = [partial(study.run, executor=client) for client in (first, second)]
        seconds = interleaved(*calls, repeats=repeats)
    return {"one": seconds[0], "two": seconds[1]}
