"""RMSProp without the mean."""

from __future__ import annotations

import math

from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, parameter


class CenteredRMSProp(Rule):
    """Centred RMSProp: steps in units of the gradients' standard deviation, with momentum.

    .. math::

        n_{t+1} &= \\rho n_t + (1 - \\rho) g_t^2 \\\\
        m_{t+1} &= \\rho m_t + (1 - \\rho) g_t \\\\
        v_{t+1} &= \\mu v_t - \\alpha \\, g_t / \\sqrt{n_{t+1} - m_{t+1}^2 + \\epsilon} \\\\
        x_{t+1} &= x_t + v_{t+1}

    with g_t the gradient at x_t, for each coordinate, from n_0 = m_0 = v_0 = 0: Graves (2013)
    [1]_, equations 38 to 45. The libraries' forms are those of RMSProp with ``centered``.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.0001
        alpha > 0, in units of x.
    rho : float or array, default 0.95
        Decay of both averages, in [0, 1), without unit.
    momentum : float or array, default 0.9
        mu in [0, 1), without unit.
    eps : float or array, default 1e-4
        epsilon >= 0, in units of (f/x)², inside the root.

    Notes
    -----
    One gradient a step; three slots, n, m and v. A variance that roundings make negative counts
    as 0. With ``eps=0``, a coordinate whose variance is 0 becomes infinite or nan.

    References
    ----------
    .. [1] A. Graves, "Generating Sequences With Recurrent Neural Networks", arXiv:1308.0850,
       2013.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.CenteredRMSProp(0.25, rho=0.5, eps=0.0)
    >>> runs = fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None)
    >>> runs.x
    array([[0.5]])
    """

    name = "centered_rmsprop"
    slots = ("n", "m", "v")

    learning_rate: Number = parameter(1e-4, POSITIVE)
    rho: Number = parameter(0.95, FRACTION)
    momentum: Number = parameter(0.9, FRACTION)
    eps: Number = parameter(1e-4, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, rho, momentum, eps = p
        n = rho * s[0] + (1.0 - rho) * (g * g)
        m = rho * s[1] + (1.0 - rho) * g
        square = m * m
        variance = n - square
        variance = 0.0 if variance < 0.0 else variance
        v = momentum * s[2] - learning_rate * g / math.sqrt(variance + eps)
        return x + v, (n, m, v)
