"""Adam with a mean square that changes slowly."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastopt.kernels.choices import sign
from fastopt.rules.adam.common import corrections
from fastopt.rules.base import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Number,
    Rule,
    parameter,
)


class Yogi(Rule):
    """Yogi: the second moment moves by (1 - beta2) g², whichever way, never by more.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t \\\\
        v_{t+1} &= v_t - (1 - \\beta_2) \\, \\mathrm{sign}(v_t - g_t^2) \\, g_t^2 \\\\
        x_{t+1} &= x_t - \\alpha \\, m_{t+1} / (\\sqrt{v_{t+1}} + \\epsilon)

    with g_t the gradient at x_t and sign(0) = 0, for each coordinate, from m_0 = v_0 = 0, and
    not debiased: Zaheer et al. (2018) [1]_, Algorithm 2.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha > 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-3
        epsilon >= 0, in units of f/x, outside the root.

    Notes
    -----
    One gradient a step; two slots, m and v.

    References
    ----------
    .. [1] M. Zaheer, S. Reddi, D. Sachan, S. Kale, S. Kumar, "Adaptive Methods for Nonconvex
       Optimization", NeurIPS 2018.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.Yogi(0.25, beta1=0.0, beta2=0.75, eps=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.5]])
    """

    name = "yogi"
    slots = ("m", "v")

    learning_rate: Number = parameter(0.01, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-3, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps = p
        m = beta1 * s[0] + (1.0 - beta1) * g
        square = g * g
        v = s[1] - (1.0 - beta2) * sign(s[1] - square) * square
        return x - learning_rate * m / (math.sqrt(v) + eps), (m, v)


class YogiOptax(Rule, library="optax", of=Yogi):
    """Yogi as in optax: both moments start at 1e-6 and are debiased as if from 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        At least 0, in units of x. optax has no default.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-3
        At least 0, in units of f/x, outside the root.

    Notes
    -----
    Read in ``optax.yogi``, version 0.2.8. Two slots, m and v.
    """

    slots = ("m", "v")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.01, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-3, NON_NEGATIVE)

    def initial_slots(self, p: tuple[Any, ...], x: np.ndarray) -> tuple[Any, ...]:
        return 1e-6, 1e-6

    @staticmethod
    def per_step(p, t, c):
        return corrections(1.0, p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps = p
        m = (1.0 - beta1) * g + beta1 * s[0]
        square = g * g
        v = s[1] - (1.0 - beta2) * sign(s[1] - square) * square
        return x - learning_rate * (m * c[4] / (math.sqrt(v * c[5]) + eps)), (m, v)
