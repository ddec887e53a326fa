"""What a surface's value and gradient cost: as its coordinates become more, and kind by kind.

Costs are per coordinate, so that a cost which grows linearly with the dimension is one flat
line from 100 to 10,000 coordinates.
"""

from __future__ import annotations

import inspect

import fastopt as fo
from fastopt.surfaces.base import registry

from .common import cost, starts

# Coordinates of one call, in all of its points: 5 to 30 ms.
_WORK = 10**6
_UNIT = "ns/coordinate"


class Dimension:
    """A separable, a chained and a product surface, in more and more coordinates."""

    params = (["rastrigin", "rosenbrock", "griewank"], [2, 10, 100, 1000, 10_000])
    param_names = ("surface", "dim")
    steps = 20

    def setup(self, name, dim):
        self.surface, self.rule = fo.surfaces.get(name, dim=dim), fo.GradientDescent(1e-6)
        self.points = starts(self.surface, _WORK // dim)
        self._gradient()
        self._run()

    def track_gradient(self, name, dim):
        return cost(_WORK, self._gradient)

    def track_step(self, name, dim):
        return cost(_WORK * self.steps, self._run)

    def _gradient(self):
        self.surface.gradient(self.points)

    def _run(self):
        options = {"max_steps": self.steps, "stop": None, "threads": 1}
        fo.run(self.rule, self.surface, self.points, **options)

    track_gradient.unit = track_step.unit = _UNIT


def _options(name: str) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(registry[name]).parameters)


def _names() -> list[str]:
    """All but what is made of data, which is elsewhere."""
    every = fo.surfaces.names()
    needy = [n for n in every if any(o.default is o.empty for o in _options(n).values())]
    return [n for n in every if n not in needy] + [f"bbob {k}" for k in range(1, 25)]


class EverySurface:
    """Value and gradient, in 8 coordinates where there is a choice."""

    params = (_names(),)
    param_names = ("surface",)

    def setup(self, name):
        if name.startswith("bbob"):
            surface = fo.surfaces.get("bbob", function=int(name.removeprefix("bbob")), dim=8)
        else:
            surface = fo.surfaces.get(name, **{"dim": 8} if "dim" in _options(name) else {})
        points = starts(surface, _WORK // surface.dim)
        self.call = lambda: surface.gradient(points)
        self.call()

    def track_gradient(self, name):
        return cost(_WORK, self.call)

    track_gradient.unit = _UNIT
