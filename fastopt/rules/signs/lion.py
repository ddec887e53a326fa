"""Steps of the sign of an average."""

from __future__ import annotations

from fastopt.kernels.choices import sign
from fastopt.rules.base import (
    FRACTION,
    NON_NEGATIVE,
    POSITIVE,
    Number,
    Rule,
    parameter,
)
from fastopt.rules.signs.rprop import POSITIVE_FRACTION


class Lion(Rule):
    """Lion: the sign of an average of the gradients that leans to the newest.

    .. math::

        c_t &= \\beta_1 m_t + (1 - \\beta_1) g_t \\\\
        x_{t+1} &= x_t - \\alpha (\\mathrm{sign}(c_t) + \\lambda x_t) \\\\
        m_{t+1} &= \\beta_2 m_t + (1 - \\beta_2) g_t

    with g_t the gradient at x_t and sign(0) = 0, for each coordinate, from m_0 = 0: Chen et
    al. (2023) [1]_, Algorithm 2.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.0001
        alpha > 0, in units of x: the length of every step in each coordinate.
    beta1 : float or array, default 0.9
        Weight of the average in the step, in [0, 1), without unit.
    beta2 : float or array, default 0.99
        Decay of the average, in [0, 1), without unit.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of 1/x: draws to 0, where the surface's minimum need not be.

    Notes
    -----
    One gradient a step; one slot, m. The iterate ends in a cycle around a minimum, unless the
    learning rate falls.

    References
    ----------
    .. [1] X. Chen, C. Liang, D. Huang, E. Real, K. Wang, Y. Liu, H. Pham, X. Dong, T. Luong,
       C.-J. Hsieh, Y. Lu, Q. V. Le, "Symbolic Discovery of Optimization Algorithms", NeurIPS
       2023, arXiv:2302.06675.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.Lion(0.25, weight_decay=0.5)
    >>> fo.run(rule, fo.Sphere(dim=1), [[2.0]], max_steps=1, stop=None).x
    array([[1.5]])
    """

    name = "lion"
    slots = ("m",)

    learning_rate: Number = parameter(0.0001, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.99, FRACTION)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, weight_decay = p
        lean = beta1 * s[0] + (1.0 - beta1) * g
        m = beta2 * s[0] + (1.0 - beta2) * g
        return x - learning_rate * (sign(lean) + weight_decay * x), (m,)


class LionKeras(Rule, library="keras", of=Lion):
    """Lion as in Keras: the paper's, but the decay is taken off first.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        At least 0, in units of x.
    beta1 : float or array, default 0.9
        Weight of the average in the step, in (0, 1], without unit.
    beta2 : float or array, default 0.99
        Decay of the average, in [0, 1), without unit.
    weight_decay : float or array, default 0.0
        At least 0, in units of 1/x: x - lambda alpha x takes the place of x.

    Notes
    -----
    Read in ``keras.optimizers.Lion``, version 3.15.1.
    """

    slots = ("m",)

    learning_rate: Number = parameter(0.001, NON_NEGATIVE)
    beta1: Number = parameter(0.9, POSITIVE_FRACTION)
    beta2: Number = parameter(0.99, FRACTION)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, weight_decay = p
        lean = s[0] * beta1 + g * (1.0 - beta1)
        m = s[0] * beta2 + g * (1.0 - beta2)
        decayed = x - x * weight_decay * learning_rate
        return decayed - learning_rate * sign(lean), (m,)


class LionOptax(Rule, library="optax", of=Lion):
    """Lion as in optax: the paper's, with weight decay.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.0001
        At least 0, in units of x. optax has no default.
    beta1, beta2 : float or array, default 0.9 and 0.99
        Weight of the average in the step and its decay, in [0, 1), without unit.
    weight_decay : float or array, default 0.001
        At least 0, in units of 1/x.

    Notes
    -----
    Read in ``optax.lion``, version 0.2.8.
    """

    slots = ("m",)

    learning_rate: Number = parameter(0.0001, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.99, FRACTION)
    weight_decay: Number = parameter(0.001, NON_NEGATIVE)

    update = staticmethod(Lion.update)
