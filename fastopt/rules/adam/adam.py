"""Adam: momentum over the root mean square of the gradients."""

from __future__ import annotations

import math

from fastopt.kernels.choices import larger
from fastopt.kernels.powers import next_power
from fastopt.rules.adam.common import (
    amsgrad_slots,
    averages,
    corrections,
    decayed,
    optax_corrections,
    optax_first,
)
from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, flag, parameter


class Adam(Rule):
    """Adam: momentum over the root mean square of the gradients, both debiased.

    .. math::

        m_{t+1} &= \\beta_1 m_t + (1 - \\beta_1) g_t \\\\
        v_{t+1} &= \\beta_2 v_t + (1 - \\beta_2) g_t^2 \\\\
        \\hat m &= m_{t+1} / (1 - \\beta_1^{t+1}), \\quad
        \\hat v = v_{t+1} / (1 - \\beta_2^{t+1}) \\\\
        x_{t+1} &= x_t - \\alpha \\, \\hat m / (\\sqrt{\\hat v} + \\epsilon)

    with g_t the gradient at x_t, for each coordinate, from m_0 = v_0 = 0: Kingma and Ba
    (2015) [1]_, Algorithm 1.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x: about the length of the first steps in each coordinate.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.

    Notes
    -----
    One gradient a step; two slots, m and v.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015,
       arXiv:1412.6980.

    Examples
    --------
    >>> import fastopt as fo
    >>> runs = fo.run(fo.Adam(0.25, eps=0.0), fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None)
    >>> runs.x
    array([[0.75]])
    """

    name = "adam"
    slots = ("m", "v")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.001, POSITIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)

    @staticmethod
    def per_step(p, t, c):
        return corrections(p[0], p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        m, v = averages(p[1], p[2], g, s)
        return x - c[4] * m / (math.sqrt(v * c[5]) + p[3]), (m, v)


class AdamTorch(Rule, library="torch", of=Adam):
    """Adam as PyTorch has it: with weight decay, AMSGrad's maximum and a sign.

    .. math::

        g &= \\pm \\nabla f(x_t) + \\lambda x_t, \\quad
        u_{t+1} = \\max(u_t, v_{t+1}) \\\\
        x_{t+1} &= x_t - \\alpha \\, \\hat m / (\\sqrt{\\hat v} + \\epsilon)

    The rest is the paper's form, which this is by default. With ``amsgrad``, u_{t+1} takes
    the place of v_{t+1} before it is debiased, from u_0 = 0. With ``decoupled``, lambda x_t
    is not added to the gradient; instead x_t is first multiplied by 1 - alpha lambda.
    ``torch.optim.Adam`` of PyTorch 2.13.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of f/x²; in units of 1/x with ``decoupled``.
    amsgrad : bool, default False
        Whether to divide by the largest average of squares so far.
    maximize : bool, default False
        Whether to climb: the gradient's sign is turned.
    decoupled : bool, default False
        Whether the weight decay stays out of the averages (``decoupled_weight_decay``).
    """

    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0)
    slots = property(amsgrad_slots)

    learning_rate: Number = parameter(1e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    amsgrad: bool = flag(False)
    maximize: bool = flag(False)
    decoupled: bool = flag(False)

    @staticmethod
    def per_step(p, t, c):
        return corrections(p[0], p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, weight_decay, amsgrad, maximize, decoupled = p
        x, g = decayed(x, g, learning_rate, weight_decay, maximize, decoupled)
        m, v = averages(beta1, beta2, g, s)
        # Without amsgrad there is no third slot: s[-1] is not used, and top is not kept.
        top = larger(s[-1], v) if amsgrad else v
        return x - c[4] * m / (math.sqrt(top * c[5]) + eps), (m, v, top)


class AdamKeras(Rule, library="keras", of=Adam):
    """Adam as Keras has it: epsilon is added before the second average is debiased.

    .. math::

        x_{t+1} = (1 - \\alpha \\lambda) x_t - \\alpha
        \\frac{\\sqrt{1 - \\beta_2^{t+1}}}{1 - \\beta_1^{t+1}}
        \\cdot \\frac{m_{t+1}}{\\sqrt{v_{t+1}} + \\epsilon}

    with m and v as in the paper, whose section 2 gives this form: its epsilon is larger by
    1 / sqrt(1 - beta2^(t+1)) in the first steps. With ``amsgrad``, the largest v so far takes
    the place of v_{t+1}, from 0. ``keras.optimizers.Adam`` of Keras 3.15.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-7
        epsilon >= 0, in units of f/x, outside the root.
    weight_decay : float or array, default 0.0
        lambda >= 0, in units of 1/x, decoupled from the averages. Keras's None is 0.
    amsgrad : bool, default False
        Whether to divide by the largest average of squares so far.
    """

    scalars = (1.0, 0.0, 1.0, 0.0, 0.0)
    slots = property(amsgrad_slots)

    learning_rate: Number = parameter(1e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-7, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    amsgrad: bool = flag(False)

    @staticmethod
    def per_step(p, t, c):
        high1, low1 = next_power(c[0], c[1], p[1])
        high2, low2 = next_power(c[2], c[3], p[2])
        step = p[0] * math.sqrt((1.0 - high2) - low2) / ((1.0 - high1) - low1)
        return high1, low1, high2, low2, step

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, weight_decay, amsgrad = p
        m, v = averages(beta1, beta2, g, s)
        # Without amsgrad there is no third slot: s[-1] is not used, and top is not kept.
        top = larger(s[-1], v) if amsgrad else v
        x = x - learning_rate * weight_decay * x
        return x - c[4] * m / (math.sqrt(top) + eps), (m, v, top)


class AdamOptax(Rule, library="optax", of=Adam):
    """Adam as optax has it: with a second epsilon inside the root, and Nesterov's momentum.

    .. math:: x_{t+1} = x_t - \\alpha \\, \\hat m / (\\sqrt{\\hat v + \\bar \\epsilon} + \\epsilon)

    The rest is the paper's form, which this is by default. With ``nesterov``, beta1 m_{t+1} /
    (1 - beta1^(t+2)) + (1 - beta1) g_t / (1 - beta1^(t+1)) takes the place of the debiased m.
    ``optax.adam`` of optax 0.2.8.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x. optax has no default.
    beta1, beta2 : float or array, default 0.9 and 0.999
        Decay of the averages, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    eps_root : float or array, default 0.0
        epsilon-bar >= 0, in units of f²/x², inside the root.
    nesterov : bool, default False
        Whether the first average looks ahead by a step.
    """

    slots = ("m", "v")
    scalars = (1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)

    learning_rate: Number = parameter(1e-3, NON_NEGATIVE)
    beta1: Number = parameter(0.9, FRACTION)
    beta2: Number = parameter(0.999, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    eps_root: Number = parameter(0.0, NON_NEGATIVE)
    nesterov: bool = flag(False)

    @staticmethod
    def per_step(p, t, c):
        return optax_corrections(p[1], p[2], c)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, beta1, beta2, eps, eps_root, nesterov = p
        m, v = averages(beta1, beta2, g, s)
        m_hat = optax_first(beta1, c, g, m, nesterov)
        return x - learning_rate * m_hat / (math.sqrt(v * c[5] + eps_root) + eps), (m, v)
