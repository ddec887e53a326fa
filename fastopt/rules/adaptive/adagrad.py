"""Steps that shrink with the sum of the squared gradients."""

from __future__ import annotations

import math

from fastopt.rules.base import NON_NEGATIVE, POSITIVE, Number, Rule, flag, parameter


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


class AdaGradTorch(Rule, library="torch", of=AdaGrad):
    """AdaGrad as in PyTorch: with a falling learning rate, weight decay, and upwards if asked.

    .. math::

        g_t &= \\nabla f(x_t) + \\lambda x_t \\\\
        G_{t+1} &= G_t + g_t^2 \\\\
        x_{t+1} &= x_t - \\frac{\\alpha}{1 + \\eta t} g_t / (\\sqrt{G_{t+1}} + \\epsilon)

    for each coordinate: ``torch.optim.Adagrad``, read in PyTorch 2.13.0. Not in the paper:
    lambda, eta, G_0, ``maximize`` and alpha = 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha >= 0, in units of x.
    lr_decay : float or array, default 0
        eta >= 0, without unit.
    weight_decay : float or array, default 0
        lambda >= 0, in units of f/x², added to the gradient.
    initial_accumulator : float or array, default 0
        G_0 >= 0, in units of (f/x)².
    eps : float or array, default 1e-10
        epsilon >= 0, in units of f/x, outside the root.
    maximize : bool, default False
        Whether to step along the gradient instead of against it.

    Notes
    -----
    One gradient a step; one slot, G.
    """

    slots = ("G",)
    scalars = (0.0, 0.0)

    learning_rate: Number = parameter(0.01, NON_NEGATIVE)
    lr_decay: Number = parameter(0.0, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    initial_accumulator: Number = parameter(0.0, NON_NEGATIVE)
    eps: Number = parameter(1e-10, NON_NEGATIVE)
    maximize: bool = flag(False)

    def initial_slots(self, p, x):
        return (p[3],)

    @staticmethod
    def per_step(p, t, c):
        return c[0] + 1.0, p[0] / (1.0 + c[0] * p[1])

    @staticmethod
    def update(p, c, x, g, s):
        _, _, weight_decay, _, eps, maximize = p
        g = (-g if maximize else g) + weight_decay * x
        total = s[0] + g * g
        return x - c[1] * g / (math.sqrt(total) + eps), (total,)


class AdaGradKeras(Rule, library="keras", of=AdaGrad):
    """AdaGrad as in Keras: epsilon inside the root, and a sum that starts at 0.1.

    .. math::

        G_{t+1} &= G_t + g_t^2 \\\\
        x_{t+1} &= x_t - \\alpha \\lambda x_t - \\alpha \\, g_t / \\sqrt{G_{t+1} + \\epsilon}

    with g_t the gradient at x_t, for each coordinate: ``keras.optimizers.Adagrad``, read in
    Keras 3.15.1. Not in the paper: lambda, G_0, epsilon's place and alpha = 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x.
    initial_accumulator : float or array, default 0.1
        G_0 >= 0, in units of (f/x)².
    eps : float or array, default 1e-7
        epsilon >= 0, in units of (f/x)², inside the root.
    weight_decay : float or array, default 0
        lambda >= 0, in units of 1/x, decoupled: x shrinks by the factor 1 - alpha lambda
        before the step, after the gradient was taken. Keras's None is 0.

    Notes
    -----
    One gradient a step; one slot, G.
    """

    slots = ("G",)

    learning_rate: Number = parameter(0.001, NON_NEGATIVE)
    initial_accumulator: Number = parameter(0.1, NON_NEGATIVE)
    eps: Number = parameter(1e-7, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    def initial_slots(self, p, x):
        return (p[1],)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, _, eps, weight_decay = p
        decayed = x - x * weight_decay * learning_rate
        total = s[0] + g * g
        return decayed - learning_rate * g / math.sqrt(total + eps), (total,)


class AdaGradOptax(Rule, library="optax", of=AdaGrad):
    """AdaGrad as in optax: epsilon inside the root, and a sum that starts at 0.1.

    .. math::

        G_{t+1} &= G_t + g_t^2 \\\\
        x_{t+1} &= x_t - \\alpha \\, g_t / \\sqrt{G_{t+1} + \\epsilon}

    with g_t the gradient at x_t, for each coordinate, which stays where it is while
    G_{t+1} = 0: ``optax.adagrad``, read in optax 0.2.8. Not in the paper: G_0, epsilon's
    place and alpha = 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha >= 0, in units of x. optax has no default; it is AdaGrad's here.
    initial_accumulator : float or array, default 0.1
        G_0 >= 0, in units of (f/x)².
    eps : float or array, default 1e-7
        epsilon >= 0, in units of (f/x)², inside the root.

    Notes
    -----
    One gradient a step; one slot, G.
    """

    slots = ("G",)

    learning_rate: Number = parameter(0.01, NON_NEGATIVE)
    initial_accumulator: Number = parameter(0.1, NON_NEGATIVE)
    eps: Number = parameter(1e-7, NON_NEGATIVE)

    def initial_slots(self, p, x):
        return (p[1],)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, _, eps = p
        total = s[0] + g * g
        scale = 1.0 / math.sqrt(total + eps) if total > 0.0 else 0.0
        return x - learning_rate * (scale * g), (total,)
