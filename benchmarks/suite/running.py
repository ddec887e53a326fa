"""What it costs to advance runs: a thousand million over it is the rate in start-steps/s."""

from __future__ import annotations

import fastopt as fo
from fastopt.workers import processors

from .common import CONVERGING, RULES, cost, rule, starts

# Coordinate-steps of one call: 10 to 300 ms.
_WORK = 5 * 10**7
_UNIT = "ns/start-step"


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

    def track_cost(self, name, surface_name, n):
        return cost(self.work, self.call)

    track_cost.unit = _UNIT


class EveryRule:
    """Every rule with its defaults, on the bowl, where none of them diverges."""

    params = (fo.rules.names(),)
    param_names = ("rule",)

    def setup(self, name):
        surface = fo.Bowl()
        points = starts(surface, 10**4)
        self.call = lambda: fo.run(fo.rules.get(name), surface, points, max_steps=500, stop=None)
        self.call()

    def track_cost(self, name):
        return cost(500 * 10**4, self.call)

    track_cost.unit = _UNIT


class Precision:
    """float32, fixed steps."""

    params = (["gradient_descent", "momentum", "adam"], ["rosenbrock-2", "ackley-2", "ackley-10"])
    param_names = ("rule", "surface")

    def setup(self, name, surface_name):
        kind, dim = surface_name.split("-")
        surface = fo.surfaces.get(kind, dim=int(dim))
        points, steps = starts(surface, 10**5).astype("f4"), _WORK // (10**5 * surface.dim)
        self.work = steps * len(points)
        self.call = lambda: fo.run(
            rule(name), surface, points, max_steps=steps, stop=None, dtype="float32"
        )
        self.call()

    def track_cost(self, name, surface_name):
        return cost(self.work, self.call)

    track_cost.unit = _UNIT


class Threads:
    """Fixed steps on Rosenbrock in 2-D, by the number of threads."""

    params = (["gradient_descent", "adam"], [1, 2, 4, 8, 16])
    param_names = ("rule", "threads")

    def setup(self, name, threads):
        if threads > processors():
            raise NotImplementedError
        surface = fo.Rosenbrock()
        points = starts(surface, 10**5)
        self.call = lambda: fo.run(
            rule(name), surface, points, max_steps=200, stop=None, threads=threads
        )
        self.call()

    def track_cost(self, name, threads):
        return cost(200 * 10**5, self.call)

    track_cost.unit = _UNIT


class Convergence:
    """Until the gradient's norm is at most 1e-8."""

    params = (["gradient_descent", "momentum", "adam"], ["himmelblau", "styblinski_tang"])
    param_names = ("rule", "surface")

    def setup(self, name, surface_name):
        self.rule = fo.rules.get(name, learning_rate=CONVERGING[name])
        self.surface = fo.surfaces.get(surface_name)
        self.points = starts(self.surface, 20_000)
        fo.run(self.rule, self.surface, self.points[:100], max_steps=1)

    def time_run(self, name, surface_name):
        fo.run(self.rule, self.surface, self.points, max_steps=10_000)


class Overhead:
    """What a call costs that has next to nothing to do."""

    def setup(self):
        self.rule, self.surface = fo.GradientDescent(1e-4), fo.Rosenbrock()
        fo.run(self.rule, self.surface, [[0.0, 0.0]], max_steps=1)

    def time_one_start_one_step(self):
        fo.run(self.rule, self.surface, [[0.0, 0.0]], max_steps=1)
