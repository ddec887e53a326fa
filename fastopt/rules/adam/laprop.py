"""Momentum of normalised gradients."""

from __future__ import annotations

import math

from fastopt.rules.adam.common import corrections
from fastopt.rules.base import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Number,
    Rule,
    parameter,
)


class LaProp(Rule):
    """LaProp: gradients are scaled first and averaged then, unlike Adam's.

    .. math::

        n_{t+1} &= \\beta_2 n_t + (1 - \\beta_2) g_t^2, \\quad
        \\hat n = n_{t+1} / (1 - \\beta_2^{t+1}) \\\\
        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t / (\\sqrt{\\hat n} + \\epsilon) \\\\
        x_{t+1} &= x_t - \\alpha \\, m_{t+1} / (1 - \\beta_1^{t+1})

    with g_t the gradient at x_t, for each coordinate, from m_0 = n_0 = 0: Ziyin, Wang and Ueda
    (2020) [1]_, whose mu and nu are beta1 and beta2.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.0004
        alpha > 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-15
        epsilon >= 0, in units of f/x, outside the root. With 0, a coordinate whose derivative
        is 0 from the start becomes nan.

    Notes
    -----
    One gradient a step; two slots, m and n.

    References
    ----------
    .. [1] L. Ziyin, Z. T. Wang, M. Ueda, "LaProp: Separating Momentum and Adaptivity in Adam",
       arXiv:2002.04839, 2020.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.LaProp(0.25, beta1=0.5, eps=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.75]])
    """

    name = "laprop"
    slots = ("m", "n")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.0004, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-15, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return corrections(1.0, p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps = p
        n = beta2 * s[1] + (1.0 - beta2) * (g * g)
        m = beta1 * s[0] + (1.0 - beta1) * (g / (math.sqrt(n * c[5]) + eps))
        return x - learning_rate * (m * c[4]), (m, n)
