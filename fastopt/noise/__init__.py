"""Noise: what a rule sees of the gradient or the value, while stop criteria see the exact ones.

``fo.run(rule, surface, starts, noise=fo.noise.gaussian(0.1), seed=1)``. The noise of a run
depends on the seed, its index in the batch, the step and the coordinate, and on nothing else.
On a finite sum, :func:`minibatch` is the noise of stochastic gradient descent itself.
"""

from fastopt.noise.base import Noise
from fastopt.noise.heavy_tails import alpha_stable, student_t
from fastopt.noise.normal import gaussian, multiplicative
from fastopt.noise.of_values import value
from fastopt.noise.sampling import minibatch

__all__ = ["Noise", "alpha_stable", "gaussian", "minibatch", "multiplicative", "student_t", "value"]
