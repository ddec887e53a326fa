"""Langevin dynamics."""

from __future__ import annotations

import math

from fastopt.rules.base import NON_NEGATIVE, POSITIVE, Number, Rule, parameter


class Langevin(Rule):
    """Gradient descent with thermal noise: the unadjusted Langevin algorithm.

    .. math::

        x_{t+1} = x_t - \\lambda \\nabla f(x_t) + \\sqrt{2 \\lambda T} \\, \\xi_t

    with xi_t independent standard normal numbers: the Euler-Maruyama step of overdamped
    Langevin dynamics, Roberts and Tweedie (1996), section 1.4 [1]_. For small steps the iterates
    are distributed as exp(-f/T).

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        lambda > 0, in units of x²/f.
    temperature : float or array, default 1.0
        T >= 0, in units of f. Of 0, this is gradient descent.

    Notes
    -----
    One gradient a step; no state. The noise is the run's own: of ``fo.run``'s seed, the run's
    index and the step. On a quadratic of curvature c the stationary variance is
    2T / (c (2 - lambda c)), and T / c in the limit.

    References
    ----------
    .. [1] G. O. Roberts, R. L. Tweedie, "Exponential convergence of Langevin distributions and
       their discrete approximations", Bernoulli 2(4), 341-363, 1996.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.Langevin(learning_rate=0.1, temperature=0.5)
    >>> runs = fo.run(rule, fo.Sphere(dim=1), [[0.0]] * 9999, max_steps=100, stop=None, seed=1)
    >>> round(float(runs.x.var()), 2)
    0.28
    """

    name = "langevin"
    draws = True

    learning_rate: Number = parameter(0.01, POSITIVE)
    temperature: Number = parameter(1.0, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s, z):
        learning_rate, temperature = p
        return x - learning_rate * g + math.sqrt(2.0 * learning_rate * temperature) * z
