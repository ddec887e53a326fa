"""Adam without the correlation of gradient and mean square."""

from __future__ import annotations

import math

from fastopt.kernels.choices import clip
from fastopt.rules.base import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Number,
    Rule,
    flag,
    parameter,
)


class ADOPT(Rule):
    """ADOPT: the gradient is scaled by the second moment of those before it, and clipped.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) \\,
        \\mathrm{clip}(g_t / \\max(\\sqrt{v_t}, \\epsilon), \\pm (t + 1)^{1/4}) \\\\
        x_{t+1} &= x_t - \\alpha \\, m_{t+1} \\\\
        v_{t+1} &= \\beta_2 v_t + (1 - \\beta_2) g_t^2

    with g_t the gradient at x_t, for each coordinate, from m_0 = 0 and v_0 = g_0^2: Taniguchi
    et al. (2024) [1]_, with the clipping of the paper's later version.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.9999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-6
        epsilon > 0, in units of f/x: the least scale.

    Notes
    -----
    One gradient a step; two slots, m and v. The paper draws the gradient for v_0 apart from
    that of the first step; without noise they are the same.

    References
    ----------
    .. [1] S. Taniguchi, K. Harada, G. Minegishi, Y. Oshima, S. C. Jeong, G. Nagahara, T.
       Iiyama, M. Suzuki, Y. Iwasawa, Y. Matsuo, "ADOPT: Modified Adam Can Converge with Any
       beta2 with the Optimal Rate", NeurIPS 2024, arXiv:2411.02853.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.ADOPT(0.25, beta1=0.5)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.875]])
    """

    name = "adopt"
    slots = ("m", "v")
    scalars = (0.0, 0.0)

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.9999, FRACTION)
    eps: Number = parameter(1e-6, POSITIVE)

    @staticmethod
    def per_step(p, t, c):
        count = c[0] + 1.0
        return count, math.sqrt(math.sqrt(count))

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps = p
        square = g * g
        before = square if c[0] < 1.5 else s[1]
        root = math.sqrt(before)
        scaled = clip(g / (eps if root < eps else root), -c[1], c[1])
        m = beta1 * s[0] + (1.0 - beta1) * scaled
        return x - learning_rate * m, (m, beta2 * before + (1.0 - beta2) * square)


class ADOPTOptax(Rule, library="optax", of=ADOPT):
    """ADOPT as in optax: the first step does not move, it only measures v.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        At least 0, in units of x. optax has no default.
    beta1, beta2 : float or array, default 0.9 and 0.9999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-6
        > 0, in units of f/x: the least scale.
    nesterov : bool, default False
        Whether the step goes along beta1 m + (1 - beta1) times the scaled gradient.
    clipping : bool, default True
        Whether to clip the scaled gradient to the fourth root of the step's index;
        ``use_clipping``.

    Notes
    -----
    Read in ``optax.contrib.adopt``, version 0.2.8. Two slots, m and v.
    """

    slots = ("m", "v")
    scalars = (-1.0, 0.0)

    learning_rate: Number = parameter(0.001, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.9999, FRACTION)
    eps: Number = parameter(1e-6, POSITIVE)
    nesterov: bool = flag(False)
    clipping: bool = flag(True)

    @staticmethod
    def per_step(p, t, c):
        count = c[0] + 1.0
        return count, math.sqrt(math.sqrt(count))

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, nesterov, clipping = p
        first = c[0] < 0.5
        root = math.sqrt(s[1])
        scaled = g / (eps if root < eps else root)
        if clipping:
            scaled = clip(scaled, -c[1], c[1])
        later_m = (1.0 - beta1) * scaled + beta1 * s[0]
        m = 0.0 if first else later_m
        square = g * g
        later_v = (1.0 - beta2) * square + beta2 * s[1]
        v = square if first else later_v
        direction = m
        if nesterov:
            ahead = (1.0 - beta1) * scaled + beta1 * m
            direction = 0.0 if first else ahead
        return x - learning_rate * direction, (m, v)
