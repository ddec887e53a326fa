"""Steps in units of the recent gradients."""

from __future__ import annotations

import math

from fastopt.kernels.powers import next_power
from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, flag, parameter


class RMSProp(Rule):
    """RMSProp: steps in units of the root mean square of the recent gradients.

    .. math::

        v_{t+1} &= \\rho v_t + (1 - \\rho) g_t^2 \\\\
        x_{t+1} &= x_t - \\alpha \\, g_t / (\\sqrt{v_{t+1}} + \\epsilon)

    with g_t the gradient at x_t, for each coordinate, from v_0 = 0: Tieleman and Hinton
    (2012) [1]_, slide 29, with rho = 0.9; the slide has no epsilon.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha > 0, in units of x.
    rho : float or array, default 0.9
        Decay of the average, in [0, 1), without unit.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.

    Notes
    -----
    One gradient a step; one slot, v. Steps do not shrink near a minimum: the iterate ends in
    a cycle around it, about alpha wide, unless the learning rate falls.

    References
    ----------
    .. [1] T. Tieleman, G. Hinton, "Lecture 6.5 - rmsprop: Divide the gradient by a running
       average of its recent magnitude", Neural Networks for Machine Learning, 2012.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.RMSProp(0.25, rho=0.75, eps=0.0)
    >>> runs = fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None)
    >>> runs.x
    array([[0.5]])
    """

    name = "rmsprop"
    slots = ("v",)

    learning_rate: Number = parameter(0.001, POSITIVE)
    rho: Number = parameter(0.9, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, rho, eps = p
        v = rho * s[0] + (1.0 - rho) * (g * g)
        return x - learning_rate * g / (math.sqrt(v) + eps), (v,)


class RMSPropTorch(Rule, library="torch", of=RMSProp):
    """RMSProp as in PyTorch: with momentum, centring, weight decay, and upwards if asked.

    .. math::

        g_t &= \\nabla f(x_t) + \\lambda x_t \\\\
        v_{t+1} &= \\rho v_t + (1 - \\rho) g_t^2 \\\\
        b_{t+1} &= \\mu b_t + g_t / (\\sqrt{v_{t+1}} + \\epsilon) \\\\
        x_{t+1} &= x_t - \\alpha b_{t+1}

    for each coordinate, from v_0 = b_0 = 0: ``torch.optim.RMSprop``, read in PyTorch 2.13.0.
    With ``centered``, v_{t+1} - m_{t+1}² is under the root, m being such an average of g_t.
    Not in the slides: mu, lambda, ``centered``, ``maximize`` and alpha = 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha >= 0, in units of x.
    rho : float or array, default 0.99
        Decay of the averages, in [0, 1), without unit: PyTorch's alpha.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of f/x, outside the root.
    weight_decay : float or array, default 0
        lambda >= 0, in units of f/x², added to the gradient.
    momentum : float or array, default 0
        mu >= 0, without unit.
    centered : bool, default False
        Whether to take the variance of the gradients in the place of their mean square.
    maximize : bool, default False
        Whether to step along the gradient instead of against it.

    Notes
    -----
    One gradient a step; three slots, v, m and b. Where a gradient has hardly changed for
    long, the rounded variance can be negative, and a run with ``centered`` ends as nan, as in
    PyTorch.
    """

    slots = ("v", "m", "b")

    learning_rate: Number = parameter(0.01, NON_NEGATIVE)
    rho: Number = parameter(0.99, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    momentum: Number = parameter(0.0, NON_NEGATIVE)
    centered: bool = flag(False)
    maximize: bool = flag(False)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, rho, eps, weight_decay, momentum, centered, maximize = p
        g = (-g if maximize else g) + weight_decay * x
        v = rho * s[0] + (1.0 - rho) * (g * g)
        mean, variance = s[1], v
        if centered:
            new, away = 1.0 - rho, g - s[1]
            mean = s[1] + new * away if new < 0.5 else g - (1.0 - new) * away
            square = mean * mean
            variance = v - square
        b = momentum * s[2] + g / (math.sqrt(variance) + eps)
        return x - learning_rate * b, (v, mean, b)


class RMSPropKeras(Rule, library="keras", of=RMSProp):
    """RMSProp as in Keras: epsilon inside the root, with momentum, centring, weight decay.

    .. math::

        v_{t+1} &= \\rho v_t + (1 - \\rho) g_t^2 \\\\
        b_{t+1} &= \\mu b_t + \\alpha \\, g_t / \\sqrt{v_{t+1} + \\epsilon} \\\\
        x_{t+1} &= x_t - \\alpha \\lambda x_t - b_{t+1}

    with g_t the gradient at x_t, for each coordinate, from v_0 = b_0 = 0:
    ``keras.optimizers.RMSprop``, read in Keras 3.15.1. With ``centered``,
    v_{t+1} - m_{t+1}² + epsilon is under the root, m being such an average of g_t. Not in the
    slides: mu, lambda, ``centered``, epsilon's place and alpha = 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x.
    rho : float or array, default 0.9
        Decay of the averages, in [0, 1), without unit.
    momentum : float or array, default 0
        mu >= 0, without unit.
    eps : float or array, default 1e-7
        epsilon >= 0, in units of (f/x)², inside the root.
    weight_decay : float or array, default 0
        lambda >= 0, in units of 1/x, decoupled: x shrinks by the factor 1 - alpha lambda
        before the step, after the gradient was taken. Keras's None is 0.
    centered : bool, default False
        Whether to take the variance of the gradients in the place of their mean square.

    Notes
    -----
    One gradient a step; three slots, v, m and b.
    """

    slots = ("v", "m", "b")

    learning_rate: Number = parameter(0.001, NON_NEGATIVE)
    rho: Number = parameter(0.9, FRACTION)
    momentum: Number = parameter(0.0, NON_NEGATIVE)
    eps: Number = parameter(1e-7, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    centered: bool = flag(False)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, rho, momentum, eps, weight_decay, centered = p
        decayed = x - x * weight_decay * learning_rate
        v = rho * s[0] + (1.0 - rho) * (g * g)
        mean, variance = s[1], v
        if centered:
            mean = rho * s[1] + (1.0 - rho) * g
            square = mean * mean
            variance = v - square
        b = momentum * s[2] + learning_rate * g / math.sqrt(variance + eps)
        return decayed - b, (v, mean, b)


class RMSPropOptax(Rule, library="optax", of=RMSProp):
    """RMSProp as in optax: epsilon inside the root, with momentum, centring, debiasing.

    .. math::

        v_{t+1} &= \\rho v_t + (1 - \\rho) g_t^2 \\\\
        b_{t+1} &= \\mu b_t - \\alpha \\, g_t / \\sqrt{v_{t+1} + \\epsilon} \\\\
        x_{t+1} &= x_t + b_{t+1}

    with g_t the gradient at x_t, for each coordinate, from b_0 = 0: ``optax.rmsprop``, read in
    optax 0.2.8. Not in the slides: mu, v_0, epsilon's place, alpha = 0 and all flags.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x. optax has no default; it is RMSProp's here.
    rho : float or array, default 0.9
        Decay of the averages, in [0, 1), without unit: optax's decay.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of (f/x)² inside the root, of f/x outside.
    initial_accumulator : float or array, default 0
        v_0 >= 0, in units of (f/x)²: optax's initial_scale.
    momentum : float or array, default 0
        mu >= 0, without unit. optax's None is 0.
    eps_in_sqrt : bool, default True
        Whether epsilon is inside the root.
    centered : bool, default False
        Whether v_{t+1} - m_{t+1}² is under the root, m being such an average of g_t from 0.
    nesterov : bool, default False
        Whether x moves by mu b_{t+1} - alpha g_t / ... in the place of b_{t+1}.
    bias_correction : bool, default False
        Whether both averages are divided by 1 - rho^(t+1).

    Notes
    -----
    One gradient a step; three slots, v, m and b. With ``centered`` and ``bias_correction`` the
    first step is g_0 / sqrt(epsilon) long, up to roundings, and without ``eps_in_sqrt`` it is
    nan or without bound, as in optax.
    """

    slots = ("v", "m", "b")
    scalars = (1.0, 0.0, 1.0)

    learning_rate: Number = parameter(0.001, NON_NEGATIVE)
    rho: Number = parameter(0.9, FRACTION)
    eps: Number = parameter(1e-8, NON_NEGATIVE)
    initial_accumulator: Number = parameter(0.0, NON_NEGATIVE)
    momentum: Number = parameter(0.0, NON_NEGATIVE)
    eps_in_sqrt: bool = flag(True)
    centered: bool = flag(False)
    nesterov: bool = flag(False)
    bias_correction: bool = flag(False)

    def initial_slots(self, p, x):
        return p[3], 0.0, 0.0

    @staticmethod
    def per_step(p, t, c):
        bias_correction = p[8]
        high, low = next_power(c[0], c[1], p[1])
        return high, low, (1.0 - high) - low if bias_correction else 1.0

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, rho, eps, _, momentum, eps_in_sqrt, centered, nesterov, _ = p
        v = (1.0 - rho) * (g * g) + rho * s[0]
        mean, variance = s[1], v / c[2]
        if centered:
            mean = (1.0 - rho) * g + rho * s[1]
            debiased = mean / c[2]
            square = debiased * debiased
            variance = variance - square
        size = math.sqrt(variance + eps) if eps_in_sqrt else math.sqrt(variance) + eps
        change = -learning_rate * (1.0 / size * g)
        b = change + momentum * s[2]
        step = change + momentum * b if nesterov else b
        return x + step, (v, mean, b)
