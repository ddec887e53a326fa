"""What tests of studies share: small studies, and slow and plain counting."""

from __future__ import annotations

import functools
import math
from collections import Counter
from fractions import Fraction

import numpy as np

import fastopt as fo

STARTS = fo.starts.Uniform(-5, 5, n=300, seed=4, dim=2)


def small_study(**changes):
    """Two rules, one with settings and one that draws, on two surfaces, with noise and targets."""
    options = {
        "rules": {
            "descent": fo.GradientDescent([0.001, 0.01, 0.5]),
            "langevin": fo.Langevin(0.002),
        },
        "surfaces": {"himmelblau": fo.Himmelblau(), "bowl": fo.Bowl()},
        "starts": STARTS,
        "max_steps": 40,
        "stop": fo.Stop(gradient=1.0),
        "targets": [1.0, 100.0, 1e-3],
        "record": fo.Record(steps=[0, 3, 40]),
        "noise": fo.noise.gaussian(0.1),
        "seeds": [0, 7],
    }
    return fo.Study(**(options | changes))


@functools.cache
def study_of_targets():
    """Two rules, one with settings, on surfaces of two and three coordinates; and its result."""
    study = fo.Study(**TWO_BY_TWO)
    return study, study.run(chunk=250)


TWO_BY_TWO = {
    "rules": {
        "descent": fo.GradientDescent([0.0005, 0.01, 0.5]),
        "momentum": fo.Momentum(0.002),
    },
    "surfaces": {"himmelblau": fo.Himmelblau(), "rosenbrock": fo.Rosenbrock(dim=3)},
    "starts": 200,
    "max_steps": 120,
    "stop": fo.Stop(gradient=0.5),
    "targets": [100.0, 1.0, 1e-3],
    "record": fo.Record(every=10),
}


def runs_of(rule, surface):
    """The runs of one of the cells of that study."""
    chosen = TWO_BY_TWO["surfaces"][surface]
    starts = fo.starts.Uniform(*chosen.bounds.T, n=TWO_BY_TWO["starts"])
    options = {key: TWO_BY_TWO[key] for key in ("max_steps", "stop", "targets", "record")}
    return fo.run(rule, chosen, starts, **options)


def count_plainly(runs, fun_min, first=0):
    """The counts of a batch, written as one would by hand."""
    ended = [[int(s), fo.Status(k)] for s, k in zip(runs.steps, runs.status, strict=True)]
    above = [float(f) - fun_min for f in runs.fun]
    numbers = range(first, first + len(above))
    alive = [k for k in range(len(above)) if ended[k][1] != fo.Status.DIVERGED]
    ranked = {
        ("worst", "steps"): [
            (-ended[k][0], numbers[k]) for k in alive if ended[k][1] == fo.Status.CONVERGED
        ],
        ("best", "steps"): [
            (ended[k][0], numbers[k]) for k in alive if ended[k][1] == fo.Status.CONVERGED
        ],
        ("worst", "value"): [(-above[k], numbers[k]) for k in alive],
        ("best", "value"): [(above[k], numbers[k]) for k in alive],
        ("worst", "divergence"): [
            (ended[k][0], numbers[k]) for k in range(len(above)) if k not in set(alive)
        ],
    }
    return {
        "ended": Counter((status, steps) for steps, status in ended),
        "above": above,
        "extremes": {
            name: [number for _, number in sorted(pairs)] for name, pairs in ranked.items()
        },
    }


def bin_ends(value):
    """The bin of a finite number, from its definition: sixteenths of a power of two."""
    if value == 0:
        return 0.0, None
    fraction, exponent = math.frexp(abs(value))  # in [1/2, 1)
    part = math.floor(Fraction(fraction) * 32)
    low, high = (math.ldexp(k / 32, exponent) for k in (part, part + 1))
    high = float(np.nextafter(high, 0))
    return (low, high) if value > 0 else (-high, -low)


def check_cell(result, runs, fun_min, rule, surface, **where):
    """A cell of a result against the batch that it stands for."""
    plain = count_plainly(runs, fun_min)
    counts = result.counts(rule, surface, **where)
    kinds = {
        fo.Status.CONVERGED: counts.converged,
        fo.Status.MAX_STEPS: counts.censored,
        fo.Status.DIVERGED: counts.diverged,
    }
    found = Counter()
    for status, numbers in kinds.items():
        for step, number in zip(counts.steps.tolist(), numbers.tolist(), strict=True):
            if number:
                found[status, step] = number
    assert found == plain["ended"]
    low, high, numbers = result.value_counts(rule, surface, **where)
    finite = [value for value in plain["above"] if 1e-300 < abs(value) < math.inf]
    wanted = Counter(bin_ends(value) for value in finite)
    whole = {
        (a, b): n for a, b, n in zip(low.tolist(), high.tolist(), numbers.tolist(), strict=True)
    }
    assert all(whole[ends] == number for ends, number in wanted.items())
    assert numbers.sum() == len(plain["above"])
    for (end, by), order in plain["extremes"].items():
        extremes = getattr(result, end)(rule, surface, by, **where)
        assert extremes.index.tolist() == order[: len(extremes.index)]
        assert len(extremes.index) == min(len(order), 10)
        if by == "value":
            assert extremes.measure.tolist() == [plain["above"][k] for k in extremes.index]
        else:
            assert extremes.measure.tolist() == runs.steps[extremes.index].tolist()
