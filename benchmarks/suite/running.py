"""How fast runs advance, and how much memory they take.

Rates are ``track_`` benchmarks, in millions of start-steps a second: a time would change with
the number of steps that a benchmark takes. Higher is better, which asv cannot know: it calls
a rise of these a regression.
"""

from __future__ import annotations

import numpy as np

import fastopt as fo

from .common import RULES, rate, rule, starts

# Coordinate-steps of one call: 10 to 300 ms.
_WORK = 5 * 10**7
_UNIT = "M start-steps/s"


class Throughput:
    """Fixed steps, by rule, surface and number of starts."""

    params = (
        list(RULES),
        ["rosenbrock-2", "himmelblau-2", "rastrigin-2", "ackley-2", "rosenbrock-10"],
        [10**3, 10**5],
    )
    param_names = ("rule", "surface", "starts")

    def setup(self, name, surface_name, n):
        kind, dim = surface_name.split("-")
        if n != 10**5 and surface_name != "rosenbrock-2":
            raise NotImplementedError  # the number of starts matters alike on all surfaces
        options = {} if kind == "himmelblau" else {"dim": int(dim)}
        surface = fo.surfaces.get(kind, **options)
        points, steps = starts(surface, n), max(_WORK // (n * surface.dim), 1)
        self.work = n * steps
        self.call = lambda: fo.run(rule(name), surface, points, max_steps=steps, stop=None)
        fo.run(rule(name), surface, points[:100], max_steps=1, stop=None)

    def track_rate(self, name, surface_name, n):
        return rate(self.work, self.call)

    track_rate.unit = _UNIT


class EveryRule:
    """Every rule with its defaults, on the bowl, where none of them diverges."""

    params = (fo.rules.names(),)
    param_names = ("rule",)

    def setup(self, name):
        surface = fo.Bowl()
        points = starts(surface, 10**4)
        self.call = lambda: fo.run(fo.rules.get(name), surface, points, max_steps=500, stop=None)
        self.call()

    def track_rate(self, name):
        return rate(500 * 10**4, self.call)

    track_rate.unit = _UNIT


class Precision:
    """float32 on Rosenbrock in 2-D."""

    params = (["gradient_descent", "momentum", "adam"],)
    param_names = ("rule",)

    def setup(self, name):
        surface = fo.Rosenbrock()
        points = starts(surface, 10**5).astype("f4")
        self.call = lambda: fo.run(
            rule(name), surface, points, max_steps=200, stop=None, dtype="float32"
        )
        self.call()

    def track_rate(self, name):
        return rate(200 * 10**5, self.call)

    track_rate.unit = _UNIT


class Convergence:
    """Until the gradient's norm is at most 1e-8."""

    params = (["gradient_descent", "momentum", "adam"], ["himmelblau", "styblinski_tang"])
    param_names = ("rule", "surface")
    rates = {"gradient_descent": 0.01, "momentum": 0.002, "adam": 0.1}  # noqa: RUF012

    def setup(self, name, surface_name):
        self.rule = fo.rules.get(name, learning_rate=self.rates[name])
        self.surface = fo.surfaces.get(surface_name)
        self.points = starts(self.surface, 20_000)
        fo.run(self.rule, self.surface, self.points[:100], max_steps=1)

    def time_run(self, name, surface_name):
        fo.run(self.rule, self.surface, self.points, max_steps=10_000)


class Targets:
    """What looking for 51 targets costs, as a share of the rate without."""

    params = (["gradient_descent", "momentum", "adam"], ["rosenbrock", "himmelblau"], [None, 1e-8])
    param_names = ("rule", "surface", "gradient")

    def setup(self, name, surface_name, gradient):
        surface = fo.surfaces.get(surface_name)
        made = fo.rules.get(name, learning_rate=Convergence.rates[name] / 10)
        points, stop = starts(surface, 20_000), gradient and fo.Stop(gradient=gradient)
        self.calls = [
            lambda targets=targets: fo.run(
                made, surface, points, max_steps=1000, stop=stop, targets=targets
            )
            for targets in (None, np.logspace(2, -8, 51))
        ]
        self.work = max(int(call().steps.sum()) for call in self.calls)

    def track_share(self, name, surface_name, gradient):
        plain, looking = (rate(self.work, call) for call in self.calls)
        return looking / plain

    track_share.unit = "of the rate without"


class Overhead:
    """What a call costs that has next to nothing to do."""

    def setup(self):
        self.rule, self.surface = fo.GradientDescent(1e-4), fo.Rosenbrock()
        fo.run(self.rule, self.surface, [[0.0, 0.0]], max_steps=1)

    def time_one_start_one_step(self):
        fo.run(self.rule, self.surface, [[0.0, 0.0]], max_steps=1)


class Memory:
    """The whole process, which has the starts (16 MB) and the results (41 MB)."""

    params = ([None, 1e-8],)
    param_names = ("gradient",)

    def setup(self, gradient):
        self.points = starts(fo.Rosenbrock(), 10**6)
        self.stop = None if gradient is None else fo.Stop(gradient=gradient)

    def peakmem_million_starts(self, gradient):
        fo.run(rule("adam"), fo.Rosenbrock(), self.points, max_steps=32, stop=self.stop)
