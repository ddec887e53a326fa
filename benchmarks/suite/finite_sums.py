"""Finite sums: the gradient of all rows, and mini-batches of some."""

from __future__ import annotations

import numpy as np
import scipy.sparse

import fastopt as fo

from .common import cost, rule

_ROWS, _DIM = 10**4, 50
_UNIT = "ns/start-step"


def _surface(name: str) -> fo.surfaces.FiniteSum:
    if name == "least_squares":
        return fo.LeastSquares.random(_ROWS, _DIM, seed=0)
    if name == "logistic":
        return fo.LogisticRegression.random(_ROWS, _DIM, l2=1e-3, seed=0)
    rng = np.random.default_rng(0)
    A = scipy.sparse.random_array((_ROWS, 1000), density=0.01, rng=rng)
    return fo.LogisticRegression(A, rng.random(_ROWS) < 0.5, l2=1e-3)


class FullGradient:
    """Gradient descent on 64 runs; least squares by the normal matrix."""

    params = (["least_squares", "logistic", "logistic_sparse"],)
    param_names = ("surface",)

    def setup(self, name):
        surface = _surface(name)
        steps = 2000 if name == "least_squares" else 10
        self.work, points = 64 * steps, np.zeros((64, surface.dim))
        self.call = lambda: fo.run(
            rule("gradient_descent"), surface, points, max_steps=steps, stop=None
        )
        self.call()

    def track_cost(self, name):
        return cost(self.work, self.call)

    track_cost.unit = _UNIT


class MiniBatch:
    """Stochastic gradient descent of 500 runs, 32 rows a step."""

    params = (["least_squares", "logistic", "logistic_sparse"], [False, True], [False, True])
    param_names = ("surface", "replace", "shared")

    def setup(self, name, replace, shared):
        surface, steps = _surface(name), 500
        noise = fo.noise.minibatch(32, replace=replace, shared=shared)
        self.work, points = 500 * steps, np.zeros((500, surface.dim))
        self.call = lambda: fo.run(
            rule("gradient_descent"), surface, points, max_steps=steps, stop=None, noise=noise
        )
        self.call()

    def track_cost(self, name, replace, shared):
        return cost(self.work, self.call)

    track_cost.unit = _UNIT
