"""What all comparisons share: what is run, and when results agree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import fastopt as fo

CHECKED_STEPS = 100
CHECKED_STARTS = 1000
TOLERANCE = 1e-9  # relative, or absolute below 1, after CHECKED_STEPS
CPP_TOLERANCE = 1e-12  # the same where the arithmetic is the same, too
# Rounding decides for a start on a basin's edge, and where a norm is just the limit.
NEAR, LEAST_NEAR, LEAST_ALIKE = 1e-6, 0.999, 0.99


def starts_within(n: int, reach: float = 2.0, dim: int = 2) -> NDArray[np.float64]:
    """*n* starts within *reach* of 0, the same every time."""
    return np.random.default_rng(1).uniform(-reach, reach, (n, dim))


def apart(ours: ArrayLike, theirs: ArrayLike) -> float:
    """The largest difference of two batches of points: relative, or absolute below 1."""
    theirs = np.asarray(theirs)
    return float(np.max(np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1.0)))


def ends_alike(runs: fo.Runs, x: ArrayLike, steps: ArrayLike) -> tuple[float, float]:
    """The shares of runs that end at the same point, and after as many steps but for one."""
    near = np.abs(runs.x - np.asarray(x)).max(-1) < NEAR
    alike = np.abs(runs.steps - np.asarray(steps)) <= 1
    return float(np.mean(near)), float(np.mean(alike))


def runner(
    rule: str, rate: float, surface: fo.Surface, starts: ArrayLike, steps: int, **options: Any
) -> Callable[[], fo.Runs]:
    """A function of no arguments that runs this with fastopt."""
    made = fo.rules.get(rule, learning_rate=rate)
    options = {"stop": None, **options}
    return lambda: fo.run(made, surface, starts, max_steps=steps, **options)
