"""Adam with the variance of the gradients in the place of their mean square."""

from __future__ import annotations

import math

from fastopt.kernels.powers import next_power
from fastopt.rules.adam.common import corrections
from fastopt.rules.base import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Number,
    Rule,
    flag,
    parameter,
)


class AdaBelief(Rule):
    """AdaBelief: Adam with the spread of the gradients around their average as scale.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t \\\\
        s_{t+1} &= \\beta_2 s_t + (1 - \\beta_2) (g_t - m_{t+1})^2 + \\epsilon \\\\
        \\hat m &= m_{t+1} / (1 - \\beta_1^{t+1}), \\quad
        \\hat s = s_{t+1} / (1 - \\beta_2^{t+1}) \\\\
        x_{t+1} &= x_t - \\alpha \\, \\hat m / (\\sqrt{\\hat s} + \\epsilon)

    with g_t the gradient at x_t, for each coordinate, from m_0 = s_0 = 0: Zhuang et al.
    (2020) [1]_, Algorithm 2.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, outside the root, and added to s at every step: sqrt(epsilon / (1 -
        beta2)) is then the least scale.

    Notes
    -----
    One gradient a step; two slots, m and s. With ``eps=0``, a coordinate whose derivative is 0
    from the start becomes nan.

    References
    ----------
    .. [1] J. Zhuang, T. Tang, Y. Ding, S. Tatikonda, N. Dvornek, X. Papademetris, J. Duncan,
       "AdaBelief Optimizer: Adapting Stepsizes by the Belief in Observed Gradients", NeurIPS
       2020, arXiv:2010.07468.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.AdaBelief(0.25, beta1=0.5, eps=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.5]])
    """

    name = "adabelief"
    slots = ("m", "s")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return corrections(1.0, p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps = p
        m = beta1 * s[0] + (1.0 - beta1) * g
        surprise = g - m
        spread = beta2 * s[1] + (1.0 - beta2) * (surprise * surprise) + eps
        return x - learning_rate * (m * c[4]) / (math.sqrt(spread * c[5]) + eps), (m, spread)


class AdaBeliefOptax(Rule, library="optax", of=AdaBelief):
    """AdaBelief as in optax: the two epsilons of the paper apart.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        At least 0, in units of x. optax has no default.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-16
        At least 0, in units of f/x, outside the root.
    eps_root : float or array, default 1e-16
        At least 0, in units of (f/x)², added to s at every step.
    nesterov : bool, default False
        Whether the average looks ahead: beta1 times m over 1 - beta1^(t+2), plus (1 - beta1)
        times g over 1 - beta1^(t+1).

    Notes
    -----
    Read in ``optax.adabelief``, version 0.2.8. Two slots, m and s.
    """

    slots = ("m", "s")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.001, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-16, NON_NEGATIVE)
    eps_root: Number = parameter(1e-16, NON_NEGATIVE)
    nesterov: bool = flag(False)

    @staticmethod
    def per_step(p, t, c):
        high1, low1, high2, low2, correct1, correct2 = corrections(1.0, p[1], p[2], c)
        ahead, rest = next_power(high1, low1, p[1])
        return high1, low1, high2, low2, correct1, correct2, 1.0 / ((1.0 - ahead) - rest)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, eps_root, nesterov = p
        m = (1.0 - beta1) * g + beta1 * s[0]
        surprise = g - m
        spread = (1.0 - beta2) * (surprise * surprise) + beta2 * s[1] + eps_root
        direction = m * c[4]
        if nesterov:
            direction = beta1 * (m * c[6]) + (1.0 - beta1) * (g * c[4])
        return x - learning_rate * (direction / (math.sqrt(spread * c[5]) + eps)), (m, spread)
