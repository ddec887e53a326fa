"""Rules that scale each coordinate's step by its past gradients."""

from __future__ import annotations

import math

from fastopt.kernels.powers import next_power
from fastopt.rules.base import FRACTION, NON_NEGATIVE, POSITIVE, Number, Rule, parameter


class AdaGrad(Rule):
    """AdaGrad: steps shrink with the sum of the squared gradients so far.

    .. math::

        G_{t+1} &= G_t + g_t^2 \\\\
        x_{t+1} &= x_t - \\alpha \\, g_t / (\\sqrt{G_{t+1}} + \\epsilon)

    with g_t the gradient at x_t, for each coordinate, from G_0 = 0: Duchi, Hazan and Singer
    (2011) [1]_, Figure 1 with diagonal matrices, whose delta is epsilon.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha > 0, in units of x: the length of the first step in each coordinate.
    eps : float or array, default 1e-10
        epsilon >= 0, in units of f/x, outside the root. The paper asks for delta >= 0.

    Notes
    -----
    One gradient a step; one slot, G. With ``eps=0``, a coordinate whose derivative is 0
    from the start becomes nan.

    References
    ----------
    .. [1] J. Duchi, E. Hazan, Y. Singer, "Adaptive Subgradient Methods for Online Learning
       and Stochastic Optimization", JMLR 12, 2121-2159, 2011.

    Examples
    --------
    >>> import fastopt as fo
    >>> runs = fo.run(fo.AdaGrad(0.25, eps=0.0), fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None)
    >>> runs.x
    array([[0.75]])
    """

    name = "adagrad"
    slots = ("G",)

    learning_rate: Number = parameter(0.01, POSITIVE)
    eps: Number = parameter(1e-10, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        total = s[0] + g * g
        return x - p[0] * g / (math.sqrt(total) + p[1]), (total,)


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
        learning_rate, beta1, beta2, _ = p
        high1, low1 = next_power(c[0], c[1], beta1)
        high2, low2 = next_power(c[2], c[3], beta2)
        step = learning_rate / ((1.0 - high1) - low1)
        return high1, low1, high2, low2, step, 1.0 / ((1.0 - high2) - low2)

    @staticmethod
    def update(p, c, x, g, s):
        _, beta1, beta2, eps = p
        m = beta1 * s[0] + (1.0 - beta1) * g
        v = beta2 * s[1] + (1.0 - beta2) * (g * g)
        return x - c[4] * m / (math.sqrt(v * c[5]) + eps), (m, v)
