"""Batches that several benchmarks share; everything is seeded and compiled in ``setup``.

All figures are costs, the lower the better, as asv takes them to be: ``asv continuous`` would
call a higher rate a regression. A cost is that of one unit of work, for a time would change
with the amount of work that a benchmark does.
"""

from __future__ import annotations

import timeit

import numpy as np

import fastopt as fo

# Learning rates with which no run diverges: one that did would stop costing work.
RULES = {
    "gradient_descent": 1e-4,
    "momentum": 1e-4,
    "ema_momentum": 1e-3,
    "nesterov": 1e-4,
    "adagrad": 1e-2,
    "adadelta": 1.0,
    "rmsprop": 1e-3,
    "adam": 1e-3,
}
# With which all runs on Himmelblau converge.
CONVERGING = {"gradient_descent": 0.01, "momentum": 0.002, "adam": 0.1}


def rule(name: str) -> fo.rules.Rule:
    """The rule of that name at a learning rate that is safe on every surface."""
    return fo.rules.get(name, learning_rate=RULES[name])


def starts(surface: fo.Surface, n: int):
    """*n* starts in the middle half of the surface's bounds."""
    low, high = surface.bounds.T
    middle, reach = (low + high) / 2, (high - low) / 4
    return np.asarray(fo.starts.Uniform(middle - reach, middle + reach, n=n, seed=1))


def cost(count: int, call) -> float:
    """Nanoseconds for each of so many, in the best of three calls: when nothing else runs."""
    return min(timeit.repeat(call, number=1, repeat=3)) / count * 1e9


def times(count: int, call, beside) -> float:
    """How many times as long as what it is compared with a call takes."""
    return cost(count, call) / cost(count, beside)
