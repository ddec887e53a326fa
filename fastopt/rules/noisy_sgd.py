"""Gradient descent with noise that dies away."""

from __future__ import annotations

import math

from fastopt.kernels.elementary import exp, log
from fastopt.rules.base import NON_NEGATIVE, POSITIVE, Number, Rule, parameter


class NoisySGD(Rule):
    """Gradient descent with annealed Gaussian noise in the gradient.

    .. math::

        \\sigma_t^2 &= \\eta / (1 + t)^\\gamma \\\\
        x_{t+1} &= x_t - \\alpha (\\nabla f(x_t) + \\sigma_t \\xi_t)

    with xi_t independent standard normal numbers and t from 0: Neelakantan et al. (2015),
    equation 1 and the schedule of section 3 [1]_.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha > 0, in units of x²/f.
    eta : float or array, default 0.01
        The first step's variance, >= 0, in units of (f/x)². The paper takes 0.01, 0.3 or 1. Of
        0, this is gradient descent.
    gamma : float or array, default 0.55
        The power of the step by which the variance falls, >= 0, without unit.

    Notes
    -----
    One gradient a step; no state. The noise is the run's own: of ``fo.run``'s seed, the run's
    index and the step; noise that is the surface's, ``noise=``, comes on top of it. Stop
    criteria look at the gradient without either.

    References
    ----------
    .. [1] A. Neelakantan, L. Vilnis, Q. V. Le, I. Sutskever, L. Kaiser, K. Kurach, J. Martens,
       "Adding gradient noise improves learning for very deep networks", 2015,
       arXiv:1511.06807.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.NoisySGD(learning_rate=0.1, eta=1.0)
    >>> runs = fo.run(rule, fo.Sphere(dim=1), [[0.0]] * 9999, max_steps=1, stop=None, seed=1)
    >>> round(float(runs.x.std()), 2)
    0.1
    """

    name = "noisy_sgd"
    draws = True
    scalars = (0.0, 0.0)

    learning_rate: Number = parameter(0.01, POSITIVE)
    eta: Number = parameter(0.01, NON_NEGATIVE)
    gamma: Number = parameter(0.55, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        _, eta, gamma = p
        count = c[0] + 1.0
        return count, math.sqrt(eta / exp(gamma * log(count)))

    @staticmethod
    def update(p, c, x, g, s, z):
        return x - p[0] * (g + c[1] * z)


class NoisySGDOptax(Rule, library="optax", of=NoisySGD):
    """Gradient descent with annealed noise as in optax: the paper's.

    .. math:: x_{t+1} = x_t - \\alpha (\\nabla f(x_t) + \\sigma_t \\xi_t)

    ``optax.noisy_sgd``, read in optax 0.2.8, with this package's random numbers. Not in the
    paper: alpha = 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha >= 0, in units of x²/f. optax has no default.
    eta : float or array, default 0.01
        The first step's variance, >= 0, in units of (f/x)².
    gamma : float or array, default 0.55
        The power of the step by which the variance falls, >= 0, without unit.

    Notes
    -----
    One gradient a step; no state.
    """

    draws = True
    scalars = (0.0, 0.0)

    learning_rate: Number = parameter(0.01, NON_NEGATIVE)
    eta: Number = parameter(0.01, NON_NEGATIVE)
    gamma: Number = parameter(0.55, NON_NEGATIVE)

    per_step, update = NoisySGD.per_step, NoisySGD.update
