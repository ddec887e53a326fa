"""Adam with the differences of successive gradients."""

from __future__ import annotations

import math

from fastopt.kernels.powers import next_power
from fastopt.rules.adam.common import corrections
from fastopt.rules.base import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Interval,
    Number,
    Rule,
    parameter,
)

WEIGHT = Interval("must be in (0, 1]", lambda v: (v > 0) & (v <= 1))


class Adan(Rule):
    """Adan: Nesterov's momentum from differences of gradients, over their root mean square.

    .. math::

        m_t &= (1 - \\beta_1) m_{t-1} + \\beta_1 g_t \\\\
        v_t &= (1 - \\beta_2) v_{t-1} + \\beta_2 (g_t - g_{t-1}) \\\\
        n_t &= (1 - \\beta_3) n_{t-1} + \\beta_3 (g_t + (1 - \\beta_2) (g_t - g_{t-1}))^2 \\\\
        x_{t+1} &= (x_t - \\alpha (m_t + (1 - \\beta_2) v_t) / (\\sqrt{n_t} + \\epsilon))
        / (1 + \\lambda \\alpha)

    with g_t the gradient at x_t, for each coordinate, from m_0 = g_0, v_0 = 0, n_0 = g_0^2 and
    v_1 = g_1 - g_0: Xie et al. (2022) [1]_, Algorithm 1, without its restarts. As there, a
    beta is the weight of the newest gradient, not of the average; libraries have 1 - beta.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x: about the length of the first step in each coordinate.
    beta1, beta2, beta3 : float or array, default 0.02, 0.08 and 0.01
        Weight of the newest in the averages, in (0, 1], without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of 1/x: draws to 0, where the surface's minimum need not be.

    Notes
    -----
    One gradient a step; four slots, m, v, n and the last gradient.

    References
    ----------
    .. [1] X. Xie, P. Zhou, H. Li, Z. Lin, S. Yan, "Adan: Adaptive Nesterov Momentum Algorithm
       for Faster Optimizing Deep Models", arXiv:2208.06677, 2022.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.Adan(0.5, eps=0.0, weight_decay=2.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[2.0]], max_steps=1, stop=None).x
    array([[0.75]])
    """

    name = "adan"
    slots = ("m", "v", "n", "g")
    scalars = (0.0,)

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.02, WEIGHT)
    beta2: Number = parameter(0.08, WEIGHT)
    beta3: Number = parameter(0.01, WEIGHT)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return (1.0 if t == 0 else (2.0 if t == 1 else 3.0),)  # which step, up to the third

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, beta3, eps, weight_decay = p
        m, v, n, before = s
        first = c[0] < 1.5
        difference = 0.0 if first else g - before
        ahead = g + (1.0 - beta2) * difference
        later_m = (1.0 - beta1) * m + beta1 * g
        later_v = (1.0 - beta2) * v + beta2 * difference
        later_n = (1.0 - beta3) * n + beta3 * (ahead * ahead)
        m = g if first else later_m
        v = difference if c[0] < 2.5 else later_v
        n = g * g if first else later_n
        moved = x - learning_rate * (m + (1.0 - beta2) * v) / (math.sqrt(n) + eps)
        return moved / (1.0 + weight_decay * learning_rate), (m, v, n, g)


class AdanOptax(Rule, library="optax", of=Adan):
    """Adan as in optax: from averages of 0, debiased, with the decay outside.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        At least 0, in units of x. optax has no default.
    beta1, beta2, beta3 : float or array, default 0.98, 0.92 and 0.99
        Decay of the averages, in [0, 1), without unit: 1 minus the paper's.
    eps : float or array, default 1e-8
        At least 0, in units of f/x, outside the root.
    eps_root : float or array, default 1e-8
        At least 0, in units of (f/x)², inside the root.
    weight_decay : float or array, default 0.0
        At least 0, in units of 1/x; lambda x is added to the direction.

    Notes
    -----
    Read in ``optax.adan``, version 0.2.8. Four slots, m, v, n and the last gradient.
    """

    slots = ("m", "v", "n", "g")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.001, NON_NEGATIVE)
    beta1: Number = parameter(0.98, FRACTION)
    beta2: Number = parameter(0.92, FRACTION)
    beta3: Number = parameter(0.99, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    eps_root: Number = parameter(1e-8, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        high1, low1, high2, low2, correct1, correct2 = corrections(1.0, p[1], p[2], c)
        high3, low3 = next_power(c[6], c[7], p[3])
        correct3 = 1.0 / ((1.0 - high3) - low3)
        since = 0.0 if t == 0 else 1.0
        return high1, low1, high2, low2, correct1, correct2, high3, low3, correct3, since

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, beta3, eps, eps_root, weight_decay = p
        difference = g - s[3] if c[9] > 0.5 else 0.0
        ahead = g + (1.0 - beta2) * difference
        m = (1.0 - beta1) * g + beta1 * s[0]
        v = (1.0 - beta2) * difference + beta2 * s[1]
        n = (1.0 - beta3) * (ahead * ahead) + beta3 * s[2]
        direction = m * c[4] + (1.0 - beta2) * (v * c[5])
        scaled = direction / (math.sqrt(n * c[8] + eps_root) + eps)
        return x - learning_rate * (scaled + weight_decay * x), (m, v, n, g)
