"""Quadratics: the three ways to run on them, and what it takes to draw their matrices."""

from __future__ import annotations

import fastopt as fo

from .common import cost

_SPECTRUM = fo.spectra.log_uniform(condition=1e3)
# Coordinate-steps of one call, with a matrix product each but in the eigenbasis.
_WORK = {"eigenbasis": 2 * 10**7, "shared": 2 * 10**6, "own": 5 * 10**5}
_STEPS = 50


class Ways:
    """Runs that share a matrix; with ``own``, each has one of its own."""

    params = (["eigenbasis", "shared", "own"], ["gradient_descent", "adam"], [10, 30, 100])
    param_names = ("path", "rule", "dim")

    def setup(self, path, name, dim):
        rule = fo.rules.get(name, learning_rate=0.01)
        if path == "eigenbasis" and not rule.rotation_invariant:
            raise NotImplementedError
        count = _WORK[path] // (dim * _STEPS)
        members, each = (count, 1) if path == "own" else (1, count)
        surface = fo.RandomQuadratics(dim, members, spectrum=_SPECTRUM, seed=1)
        points = fo.starts.Normal(0.0, 1.0, each, seed=2, dim=dim)
        self.work = count * _STEPS
        self.call = lambda: fo.run(rule, surface, points, max_steps=_STEPS, stop=None, path=path)
        self.call()

    def track_cost(self, path, name, dim):
        return cost(self.work, self.call)

    track_cost.unit = "ns/start-step"


class Drawing:
    """Members of an ensemble and their matrices, whose rotations are Haar's."""

    params = ([10, 30, 100],)
    param_names = ("dim",)

    def setup(self, dim):
        self.count = 10**6 // dim**2
        self.ensemble = fo.RandomQuadratics(dim, self.count, spectrum=_SPECTRUM, seed=1)
        self._draw()

    def track_cost(self, dim):
        return cost(self.count, self._draw)

    track_cost.unit = "ns/matrix"

    def _draw(self):
        for member in self.ensemble:
            _ = member.matrix
