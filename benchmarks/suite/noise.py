"""What noise in the gradient costs, by its kind."""

from __future__ import annotations

import fastopt as fo

from .common import cost, rule, starts

_KINDS = {
    "none": None,
    "gaussian": fo.noise.gaussian(0.1),
    "student_t": fo.noise.student_t(3.0, 0.1),
    "alpha_stable": fo.noise.alpha_stable(1.5, 0.1),
}


class Noise:
    """Gradient descent on Rosenbrock, in 2 and in 10 coordinates."""

    params = (list(_KINDS), [2, 10])
    param_names = ("noise", "dim")

    def setup(self, kind, dim):
        surface = fo.Rosenbrock(dim)
        points, steps = starts(surface, 10**5), 200 // dim
        self.work = len(points) * steps
        self.call = lambda: fo.run(
            rule("gradient_descent"),
            surface,
            points,
            max_steps=steps,
            stop=None,
            noise=_KINDS[kind],
        )
        self.call()

    def track_cost(self, kind, dim):
        return cost(self.work, self.call)

    track_cost.unit = "ns/start-step"
