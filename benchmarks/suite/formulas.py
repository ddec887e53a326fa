"""Surfaces from a formula against the same ones written by hand."""

from __future__ import annotations

from importlib.util import find_spec

import fastopt as fo

from .common import rule, starts, times


def _sum(term: str, count: int) -> str:
    return "+".join(term.format(i=i, j=i + 1) for i in range(count))


def _rosenbrock(dim: int) -> str:
    return _sum("(1-x{i})**2 + 100*(x{j}-x{i}**2)**2", dim - 1)


def _rastrigin(dim: int) -> str:
    return f"10*{dim} + {_sum('x{i}**2 - 10*cos(2*pi*x{i})', dim)}"


def _ackley(dim: int) -> str:
    cone, ripples = _sum("x{i}**2", dim), _sum("cos(2*pi*x{i})", dim)
    return f"20 + E - 20*exp(-0.2*sqrt(({cone})/{dim})) - exp(({ripples})/{dim})"


_TEXTS = {"rosenbrock": _rosenbrock, "rastrigin": _rastrigin, "ackley": _ackley}


class Formula:
    """Gradient descent on a formula, in times of what it takes on the hand-written surface."""

    params = (list(_TEXTS), [2, 10])
    param_names = ("surface", "dim")

    def setup(self, name, dim):
        if find_spec("sympy") is None:
            raise NotImplementedError
        surface = fo.surfaces.get(name, dim=dim)
        points, self.steps = starts(surface, 10**5), 250 // dim
        self.work = len(points) * self.steps
        self.surfaces = fo.surfaces.from_sympy(_TEXTS[name](dim)), surface
        self.call = lambda surface: fo.run(
            rule("gradient_descent"), surface, points, max_steps=self.steps, stop=None
        )
        for one in self.surfaces:
            self.call(one)

    def track_times(self, name, dim):
        formula, by_hand = self.surfaces
        return times(self.work, lambda: self.call(formula), lambda: self.call(by_hand))

    track_times.unit = "times the hand-written surface's"
