"""Steps in the units of past steps."""

from __future__ import annotations

import math

from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, flag, parameter


class Adadelta(Rule):
    """Adadelta: steps in the ratio of the past steps' size to the past gradients' size.

    .. math::

        E_{t+1} &= \\rho E_t + (1 - \\rho) g_t^2 \\\\
        \\Delta_t &= -g_t \\sqrt{D_t + \\epsilon} / \\sqrt{E_{t+1} + \\epsilon} \\\\
        D_{t+1} &= \\rho D_t + (1 - \\rho) \\Delta_t^2 \\\\
        x_{t+1} &= x_t + \\alpha \\Delta_t

    with g_t the gradient at x_t, for each coordinate, from E_0 = D_0 = 0: Zeiler (2012)
    [1]_, Algorithm 1, which has alpha = 1.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 1.0
        alpha > 0, without unit.
    rho : float or array, default 0.95
        Decay of both averages, in [0, 1), without unit.
    eps : float or array, default 1e-6
        epsilon >= 0, inside both roots; it sets the size of the first steps. With 0 no run
        ever moves.

    Notes
    -----
    One gradient a step; two slots, E and D.

    References
    ----------
    .. [1] M. D. Zeiler, "ADADELTA: An Adaptive Learning Rate Method", arXiv:1212.5701, 2012.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.Adadelta(rho=0.0, eps=3.0)
    >>> runs = fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None)
    >>> runs.x.round(8)
    array([[-0.30930734]])
    """

    name = "adadelta"
    slots = ("E", "D")

    learning_rate: Number = parameter(1.0, POSITIVE)
    rho: Number = parameter(0.95, FRACTION)
    eps: Number = parameter(1e-6, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, rho, eps = p
        gradients, steps = s
        gradients = rho * gradients + (1.0 - rho) * (g * g)
        delta = -(math.sqrt(steps + eps) / math.sqrt(gradients + eps)) * g
        steps = rho * steps + (1.0 - rho) * (delta * delta)
        return x + learning_rate * delta, (gradients, steps)


class AdadeltaTorch(Rule, library="torch", of=Adadelta):
    """Adadelta as in PyTorch: with weight decay, and upwards if asked.

    .. math::

        g_t &= \\nabla f(x_t) + \\lambda x_t \\\\
        E_{t+1} &= \\rho E_t + (1 - \\rho) g_t^2 \\\\
        \\Delta_t &= g_t \\sqrt{D_t + \\epsilon} / \\sqrt{E_{t+1} + \\epsilon} \\\\
        D_{t+1} &= \\rho D_t + (1 - \\rho) \\Delta_t^2 \\\\
        x_{t+1} &= x_t - \\alpha \\Delta_t

    for each coordinate, from E_0 = D_0 = 0: ``torch.optim.Adadelta``, read in PyTorch 2.13.0.
    Not in the paper: lambda, ``maximize`` and alpha other than 1.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 1.0
        alpha >= 0, without unit.
    rho : float or array, default 0.9
        Decay of both averages, in [0, 1), without unit.
    eps : float or array, default 1e-6
        epsilon >= 0, inside both roots.
    weight_decay : float or array, default 0
        lambda >= 0, in units of f/x², added to the gradient.
    maximize : bool, default False
        Whether to step along the gradient instead of against it.

    Notes
    -----
    One gradient a step; two slots, E and D.
    """

    slots = ("E", "D")

    learning_rate: Number = parameter(1.0, NON_NEGATIVE)
    rho: Number = parameter(0.9, FRACTION)
    eps: Number = parameter(1e-6, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    maximize: bool = flag(False)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, rho, eps, weight_decay, maximize = p
        g = (-g if maximize else g) + weight_decay * x
        gradients = rho * s[0] + (1.0 - rho) * (g * g)
        delta = math.sqrt(s[1] + eps) / math.sqrt(gradients + eps) * g
        steps = rho * s[1] + (1.0 - rho) * (delta * delta)
        return x - learning_rate * delta, (gradients, steps)


class AdadeltaKeras(Rule, library="keras", of=Adadelta):
    """Adadelta as in Keras: a learning rate of 0.001, and decoupled weight decay.

    .. math::

        E_{t+1} &= \\rho E_t + (1 - \\rho) g_t^2 \\\\
        \\Delta_t &= -\\sqrt{D_t + \\epsilon} \\, g_t / \\sqrt{E_{t+1} + \\epsilon} \\\\
        D_{t+1} &= \\rho D_t + (1 - \\rho) \\Delta_t^2 \\\\
        x_{t+1} &= x_t - \\alpha \\lambda x_t + \\alpha \\Delta_t

    with g_t the gradient at x_t, for each coordinate, from E_0 = D_0 = 0:
    ``keras.optimizers.Adadelta``, read in Keras 3.15.1. Not in the paper: lambda and alpha
    other than 1, without which Keras's own default hardly moves.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, without unit.
    rho : float or array, default 0.95
        Decay of both averages, in [0, 1), without unit.
    eps : float or array, default 1e-7
        epsilon >= 0, inside both roots.
    weight_decay : float or array, default 0
        lambda >= 0, without unit, decoupled: x shrinks by the factor 1 - alpha lambda
        before the step, after the gradient was taken. Keras's None is 0.

    Notes
    -----
    One gradient a step; two slots, E and D.
    """

    slots = ("E", "D")

    learning_rate: Number = parameter(0.001, NON_NEGATIVE)
    rho: Number = parameter(0.95, FRACTION)
    eps: Number = parameter(1e-7, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, rho, eps, weight_decay = p
        decayed = x - x * weight_decay * learning_rate
        gradients = rho * s[0] + (1.0 - rho) * (g * g)
        delta = -(math.sqrt(s[1] + eps) * g / math.sqrt(gradients + eps))
        steps = rho * s[1] + (1.0 - rho) * (delta * delta)
        return decayed + learning_rate * delta, (gradients, steps)


class AdadeltaOptax(Rule, library="optax", of=Adadelta):
    """Adadelta as in optax: with weight decay.

    .. math::

        g_t &= \\nabla f(x_t) + \\lambda x_t \\\\
        E_{t+1} &= \\rho E_t + (1 - \\rho) g_t^2 \\\\
        \\Delta_t &= g_t \\sqrt{D_t + \\epsilon} / \\sqrt{E_{t+1} + \\epsilon} \\\\
        D_{t+1} &= \\rho D_t + (1 - \\rho) \\Delta_t^2 \\\\
        x_{t+1} &= x_t - \\alpha \\Delta_t

    for each coordinate, from E_0 = D_0 = 0: ``optax.adadelta``, read in optax 0.2.8. Not in
    the paper: lambda and alpha other than 1.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 1.0
        alpha >= 0, without unit. optax's default, None, adds Delta_t instead of subtracting
        it, and so ascends; it is not there here.
    rho : float or array, default 0.9
        Decay of both averages, in [0, 1), without unit.
    eps : float or array, default 1e-6
        epsilon >= 0, inside both roots.
    weight_decay : float or array, default 0
        lambda >= 0, in units of f/x², added to the gradient.

    Notes
    -----
    One gradient a step; two slots, E and D.
    """

    slots = ("E", "D")

    learning_rate: Number = parameter(1.0, NON_NEGATIVE)
    rho: Number = parameter(0.9, FRACTION)
    eps: Number = parameter(1e-6, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, rho, eps, weight_decay = p
        g = g + weight_decay * x
        gradients = (1.0 - rho) * (g * g) + rho * s[0]
        delta = math.sqrt(s[1] + eps) / math.sqrt(gradients + eps) * g
        steps = (1.0 - rho) * (delta * delta) + rho * s[1]
        return x - learning_rate * delta, (gradients, steps)
