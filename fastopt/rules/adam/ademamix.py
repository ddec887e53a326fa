"""Adam with a second, slow average."""

from __future__ import annotations

import math

from fastopt.rules.adam.common import corrections
from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, parameter


class AdEMAMix(Rule):
    """AdEMAMix: Adam with a second, much slower average of the gradients added to the first.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t, \\quad
        \\hat m = m_{t+1} / (1 - \\beta_1^{t+1}) \\\\
        n_{t+1} &= \\beta_3 n_t + (1 - \\beta_3) g_t \\\\
        v_{t+1} &= \\beta_2 v_t + (1 - \\beta_2) g_t^2, \\quad
        \\hat v = v_{t+1} / (1 - \\beta_2^{t+1}) \\\\
        x_{t+1} &= x_t - \\alpha ((\\hat m + a n_{t+1}) / (\\sqrt{\\hat v} + \\epsilon)
        + \\lambda x_t)

    with g_t the gradient at x_t, for each coordinate, from m_0 = n_0 = v_0 = 0: Pagliardini,
    Ablin and Grangier (2024) [1]_, Algorithm 1, without its optional schedules of a and beta3.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x.
    beta1, beta2, beta3 : float or array, default 0.9, 0.999 and 0.9999
        Decay of the fast average, of the squares and of the slow average, in [0, 1), without
        unit.
    mix : float or array, default 5.0
        The paper's alpha, here a >= 0: the weight of the slow average, without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of 1/x: draws to 0, where the surface's minimum need not be.

    Notes
    -----
    One gradient a step; three slots, m, n and v.

    References
    ----------
    .. [1] M. Pagliardini, P. Ablin, D. Grangier, "The AdEMAMix Optimizer: Better, Faster,
       Older", arXiv:2409.03137, 2024.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.AdEMAMix(0.25, beta3=0.5, mix=2.0, eps=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.5]])
    """

    name = "ademamix"
    slots = ("m", "n", "v")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    beta3: Number = parameter(0.9999, FRACTION)
    mix: Number = parameter(5.0, NON_NEGATIVE)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return corrections(1.0, p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, beta3, mix, eps, weight_decay = p
        m = beta1 * s[0] + (1.0 - beta1) * g
        n = beta3 * s[1] + (1.0 - beta3) * g
        v = beta2 * s[2] + (1.0 - beta2) * (g * g)
        scaled = (m * c[4] + mix * n) / (math.sqrt(v * c[5]) + eps)
        return x - learning_rate * (scaled + weight_decay * x), (m, n, v)


class AdEMAMixOptax(Rule, library="optax", of=AdEMAMix):
    """AdEMAMix as in optax: the paper's, with another epsilon inside the root.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        At least 0, in units of x. optax has no default.
    beta1, beta2, beta3 : float or array, default 0.9, 0.999 and 0.9999
        Decay of the averages, in [0, 1), without unit.
    mix : float or array, default 5.0
        At least 0, without unit; ``alpha``.
    eps : float or array, default 1e-8
        At least 0, in units of f/x, outside the root.
    eps_root : float or array, default 0.0
        At least 0, in units of (f/x)², inside the root.
    weight_decay : float or array, default 0.0
        At least 0, in units of 1/x.

    Notes
    -----
    Read in ``optax.contrib.ademamix``, version 0.2.8. Three slots, m, n and v.
    """

    slots = ("m", "n", "v")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.001, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    beta3: Number = parameter(0.9999, FRACTION)
    mix: Number = parameter(5.0, NON_NEGATIVE)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    eps_root: Number = parameter(0.0, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return corrections(1.0, p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, beta3, mix, eps, eps_root, weight_decay = p
        m = (1.0 - beta1) * g + beta1 * s[0]
        n = (1.0 - beta3) * g + beta3 * s[1]
        v = (1.0 - beta2) * (g * g) + beta2 * s[2]
        scaled = (m * c[4] + mix * n) / (math.sqrt(v * c[5] + eps_root) + eps)
        return x - learning_rate * (scaled + weight_decay * x), (m, n, v)
