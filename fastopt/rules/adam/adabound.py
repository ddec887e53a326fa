"""Adam with rates between bounds that close."""

from __future__ import annotations

import math

from fastopt.kernels.choices import clip
from fastopt.rules.base import (
    FRACTION,
    POSITIVE,
    Number,
    Rule,
    parameter,
)


class AdaBound(Rule):
    """AdaBound: each coordinate's rate is kept between bounds that close on a common one.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t \\\\
        v_{t+1} &= \\beta_2 v_t + (1 - \\beta_2) g_t^2 \\\\
        l_t &= \\eta (1 - 1 / (\\gamma (t + 1) + 1)), \\quad
        u_t = \\eta (1 + 1 / (\\gamma (t + 1))) \\\\
        r_t &= \\mathrm{clip}(\\alpha / \\sqrt{v_{t+1}}, l_t, u_t) / \\sqrt{t + 1} \\\\
        x_{t+1} &= x_t - r_t m_{t+1}

    with g_t the gradient at x_t, for each coordinate, from m_0 = v_0 = 0, and not debiased: Luo
    et al. (2019) [1]_, Algorithm 2, with the bounds of its experiments. The authors' code
    debiases, adds an epsilon to the root and leaves out the division by sqrt(t + 1).

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    final : float or array, default 0.1
        eta > 0, in units of x²/f: what both bounds go to.
    gamma : float or array, default 0.001
        > 0, without unit: how fast they do; 1 - beta2 in the paper.

    Notes
    -----
    One gradient a step; two slots, m and v.

    References
    ----------
    .. [1] L. Luo, Y. Xiong, Y. Liu, X. Sun, "Adaptive Gradient Methods with Dynamic Bound of
       Learning Rate", ICLR 2019, arXiv:1902.09843.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.AdaBound(0.5, beta1=0.0, beta2=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.5]])
    """

    name = "adabound"
    slots = ("m", "v")
    scalars = (0.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    final: Number = parameter(0.1, POSITIVE)
    gamma: Number = parameter(0.001, POSITIVE)

    @staticmethod
    def per_step(p, t, c):
        final, gamma = p[3], p[4]
        count = c[0] + 1.0
        lower = final - final / (gamma * count + 1.0)
        return count, lower, final + final / (gamma * count), math.sqrt(count)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, _, _ = p
        m = beta1 * s[0] + (1.0 - beta1) * g
        v = beta2 * s[1] + (1.0 - beta2) * (g * g)
        return x - clip(learning_rate / math.sqrt(v), c[1], c[2]) / c[3] * m, (m, v)
