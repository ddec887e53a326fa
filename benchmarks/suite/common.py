"""Batches that several benchmarks share; everything is seeded and compiled in ``setup``."""

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


def rule(name: str) -> fo.rules.Rule:
    """The rule of that name at a learning rate that is safe on every surface."""
    return fo.rules.get(name, learning_rate=RULES[name])


def starts(surface: fo.Surface, n: int):
    """*n* starts in the middle half of the surface's bounds."""
    low, high = surface.bounds.T
    middle, reach = (low + high) / 2, (high - low) / 4
    return np.asarray(fo.starts.Uniform(middle - reach, middle + reach, n=n, seed=1))


def rate(start_steps: int, call) -> float:
    """The best rate of three calls: what the code reaches when nothing else runs."""
    return round(start_steps / min(timeit.repeat(call, number=1, repeat=3)) / 1e6, 1)
