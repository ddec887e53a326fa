"""Adam with mixtures of averages and gradients."""

from __future__ import annotations

import math

from fastopt.rules.adam.common import corrections
from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, parameter
from fastopt.rules.descent.quasi_hyperbolic import SHARE


class QHAdam(Rule):
    """Quasi-hyperbolic Adam: both moments are means of the newest and of their averages.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t, \\quad
        \\hat m = m_{t+1} / (1 - \\beta_1^{t+1}) \\\\
        v_{t+1} &= \\beta_2 v_t + (1 - \\beta_2) g_t^2, \\quad
        \\hat v = v_{t+1} / (1 - \\beta_2^{t+1}) \\\\
        x_{t+1} &= x_t - \\alpha ((1 - \\nu_1) g_t + \\nu_1 \\hat m)
        / (\\sqrt{(1 - \\nu_2) g_t^2 + \\nu_2 \\hat v} + \\epsilon)

    with g_t the gradient at x_t, for each coordinate, from m_0 = v_0 = 0: Ma and Yarats
    (2019) [1]_. nu1 = nu2 = 1 is Adam.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x: about the length of the first steps in each coordinate.
    beta1, beta2 : float or array, default 0.995 and 0.999
        Decay of the averages, in [0, 1), without unit.
    nu1, nu2 : float or array, default 0.7 and 1.0
        Shares of the averages, in [0, 1], without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.

    Notes
    -----
    One gradient a step; two slots, m and v.

    References
    ----------
    .. [1] J. Ma, D. Yarats, "Quasi-hyperbolic momentum and Adam for deep learning", ICLR 2019,
       arXiv:1810.06801.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.QHAdam(0.25, eps=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x.round(12)
    array([[0.75]])
    """

    name = "qhadam"
    slots = ("m", "v")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.995, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    nu1: Number = parameter(0.7, SHARE)
    nu2: Number = parameter(1.0, SHARE)
    eps: Number = parameter(1e-8, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return corrections(1.0, p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, nu1, nu2, eps = p
        square = g * g
        m = beta1 * s[0] + (1.0 - beta1) * g
        v = beta2 * s[1] + (1.0 - beta2) * square
        direction = (1.0 - nu1) * g + nu1 * (m * c[4])
        moment = (1.0 - nu2) * square + nu2 * (v * c[5])
        return x - learning_rate * direction / (math.sqrt(moment) + eps), (m, v)
