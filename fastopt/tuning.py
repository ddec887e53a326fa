"""The learning rates of the tour, and how they were chosen.

Everything but the learning rate is the rule's default. :func:`tune` tries the rates 1, 1.5,
2, 3, 5 and 7 times a power of ten, up to 10, and takes the one with the least expected
running time: all steps taken, a run that did not converge counting as ``max_steps``, over
the number of runs that converged. Where the best brings fewer than 95% of the starts to
convergence - the steps of RMSProp and Adadelta do not shrink near a minimum, so that they
end in cycles around it - rates that fall by a fixed share at each step compete as well.

``python -m fastopt.tuning`` prints the table of :data:`SETTINGS` anew, in a few minutes. A
rule that is not in it is tuned when the tour runs, at constant rates and for fewer steps.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

import fastopt as fo

GRADIENT = 1e-6
"""A run of the tour has converged when the norm of its gradient is at most this."""

MAX_STEPS = {"bowl": 10_000, "rosenbrock": 100_000, "himmelblau": 10_000, "rastrigin": 10_000}
"""The surfaces of the tour, and for how many steps any rule may run there."""

UNTUNED_MAX_STEPS = 5_000
"""For how many steps a rule may run that is not in :data:`SETTINGS`, on any surface."""


@dataclass(frozen=True)
class Falling:
    """A learning rate that falls by a fixed share at each step.

    Parameters
    ----------
    rate : float
        The learning rate of the first step.
    over : int
        It falls by 1/over at each step: to 37% in so many steps.

    Examples
    --------
    >>> Falling(0.5, over=10)(1)
    0.45
    """

    rate: float
    over: int

    def __call__(self, step: int) -> float:
        return self.rate * (1.0 - 1.0 / self.over) ** step


SETTINGS: dict[str, dict[str, float | Falling]] = {
    "gradient_descent": {
        "bowl": 0.7,
        "rosenbrock": 0.001,
        "himmelblau": 0.01,
        "rastrigin": 0.003,
    },
    "momentum": {
        "bowl": 0.15,
        "rosenbrock": 0.0005,
        "himmelblau": 0.002,
        "rastrigin": 0.00015,
    },
    "ema_momentum": {
        "bowl": 1.5,
        "rosenbrock": 0.005,
        "himmelblau": 0.02,
        "rastrigin": 0.0015,
    },
    "nesterov": {
        "bowl": 0.5,
        "rosenbrock": 0.0003,
        "himmelblau": 0.007,
        "rastrigin": 0.002,
    },
    "adagrad": {
        "bowl": 7.0,
        "rosenbrock": 1.0,
        "himmelblau": 2.0,
        "rastrigin": 0.15,
    },
    "adadelta": {
        "bowl": 1.0,
        "rosenbrock": Falling(5.0, over=2000),
        "himmelblau": Falling(10.0, over=200),
        "rastrigin": Falling(10.0, over=70),
    },
    "rmsprop": {
        "bowl": Falling(0.5, over=50),
        "rosenbrock": Falling(0.1, over=700),
        "himmelblau": 7.0,
        "rastrigin": Falling(0.02, over=50),
    },
    "adam": {
        "bowl": 1.0,
        "rosenbrock": 2.0,
        "himmelblau": 0.2,
        "rastrigin": 0.1,
    },
}
"""The tuned learning rates, by rule and surface; the tour shows rules in this order."""


def learning_rate(name: str, surface: fo.surfaces.Surface) -> tuple[float | Falling | None, bool]:
    """The rate of a rule on a surface (None if it has none), and whether it is in the table."""
    if name in SETTINGS:
        return SETTINGS[name][surface.name], True
    if "learning_rate" not in fo.rules.get(name).parameter_names():
        return None, False
    return tune(name, surface, UNTUNED_MAX_STEPS, falling=False), False


def make_rule(name: str, rate: float | Falling | None) -> fo.rules.Rule:
    """The rule at this rate, everything else at its default."""
    return fo.rules.get(name) if rate is None else fo.rules.get(name, learning_rate=rate)


_MANTISSAS = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
_CONSTANT = [float(f"{m}e{k}") for k in range(-4, 1) for m in _MANTISSAS] + [10.0]
_FALLING_RATES = _CONSTANT[_CONSTANT.index(0.01) :]
_FALLING_OVER = [50, 70, 100, 150, 200, 300, 500, 700, 1000, 1500, 2000]
_ENOUGH = 0.95


def tune(
    name: str, surface: fo.surfaces.Surface, max_steps: int, starts: int = 250, falling: bool = True
) -> float | Falling:
    """The learning rate with the least expected running time, found as said above.

    Parameters
    ----------
    name : str
        Of the rule.
    surface : Surface
    max_steps : int
        For how many steps each rate is tried.
    starts : int, default 250
        From how many starts.
    falling : bool, default True
        Whether to try falling rates where constant ones fail.

    Returns
    -------
    float or Falling
    """
    # Other starts than those of the tour, whose seed is 0 by default.
    low, high = surface.bounds.T
    points = np.asarray(fo.starts.Uniform(low, high, starts, seed=1))
    stop = fo.Stop(gradient=GRADIENT)

    def run(rate: Any) -> tuple[Any, Any]:
        rule = fo.rules.get(name, learning_rate=rate)
        runs = fo.run(rule, surface, points, max_steps=max_steps, stop=stop)
        steps = np.where(runs.success, runs.steps, max_steps).sum(axis=-1)
        successes = runs.success.sum(axis=-1)
        return steps / np.maximum(successes, 1e-9), successes / starts

    costs, shares = run(np.array(_CONSTANT)[:, None])  # a rate for each row of runs, at once
    found: dict[float | Falling, float] = dict(zip(_CONSTANT, costs, strict=True))
    if falling and shares[np.argmin(costs)] < _ENOUGH:
        trials = [Falling(*pair) for pair in itertools.product(_FALLING_RATES, _FALLING_OVER)]
        found |= {trial: float(run(trial)[0]) for trial in trials}
    return min(found, key=lambda rate: found[rate])


if __name__ == "__main__":
    for rule in fo.rules.names():
        rates = {s: tune(rule, fo.surfaces.get(s), MAX_STEPS[s]) for s in MAX_STEPS}
        print(f'    "{rule}": {rates},', flush=True)
