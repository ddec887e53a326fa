"""Plain gradient descent."""

from __future__ import annotations

from fastopt.rules.base import (
    NON_NEGATIVE,
    POSITIVE,
    Number,
    Rule,
    flag,
    parameter,
)


class GradientDescent(Rule):
    """Gradient descent: a step against the gradient.

    .. math:: x_{t+1} = x_t - \\alpha \\nabla f(x_t)

    Cauchy (1847) [1]_. Stochastic gradient descent (``fo.SGD``) is this class too, with
    ``noise=`` of :func:`fastopt.run`: the step takes the noisy gradient, while stop criteria
    look at the noiseless one.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha > 0, in units of x²/f. On a quadratic with largest eigenvalue L, stable for
        alpha < 2/L.

    Notes
    -----
    One gradient a step; no state.

    References
    ----------
    .. [1] A. Cauchy, "Méthode générale pour la résolution des systèmes d'équations
       simultanées", C. R. Acad. Sci. Paris 25, 536-538, 1847.

    Examples
    --------
    >>> import fastopt as fo
    >>> runs = fo.run(fo.GradientDescent(0.5), fo.Sphere(), [[1.0, -2.0]], max_steps=3, stop=None)
    >>> runs.x
    array([[0., 0.]])
    """

    name = "gradient_descent"
    aliases = ("SGD",)
    rotation_invariant = True

    learning_rate: Number = parameter(0.01, POSITIVE)

    @staticmethod
    def update(p, c, x, g, s):
        return x - p[0] * g


class GradientDescentTorch(Rule, library="torch", of=GradientDescent):
    """Gradient descent as in PyTorch: with weight decay, and upwards if asked.

    .. math::

        g_t &= \\nabla f(x_t) + \\lambda x_t \\\\
        x_{t+1} &= x_t - \\alpha g_t

    ``torch.optim.SGD`` without momentum, read in PyTorch 2.13.0. With ``maximize`` it is
    the negated surface that decays. Not in the paper: lambda, ``maximize`` and alpha = 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.001
        alpha >= 0, in units of x²/f.
    weight_decay : float or array, default 0
        lambda >= 0, in units of f/x², added to the gradient: the surface plus lambda |x|²/2.
    maximize : bool, default False
        Whether to step along the gradient instead of against it.

    Notes
    -----
    One gradient a step; no state.
    """

    learning_rate: Number = parameter(0.001, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)
    maximize: bool = flag(False)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, weight_decay, maximize = p
        g = (-g if maximize else g) + weight_decay * x
        return x - learning_rate * g


class GradientDescentKeras(Rule, library="keras", of=GradientDescent):
    """Gradient descent as in Keras: with decoupled weight decay.

    .. math:: x_{t+1} = x_t - \\alpha \\lambda x_t - \\alpha \\nabla f(x_t)

    ``keras.optimizers.SGD`` without momentum, read in Keras 3.15.1. Not in the paper:
    lambda and alpha = 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha >= 0, in units of x²/f.
    weight_decay : float or array, default 0
        lambda >= 0, in units of f/x², decoupled: x shrinks by the factor 1 - alpha lambda
        before the step, after the gradient was taken. Keras's None is 0.

    Notes
    -----
    One gradient a step; no state.
    """

    learning_rate: Number = parameter(0.01, NON_NEGATIVE)
    weight_decay: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        learning_rate, weight_decay = p
        decayed = x - x * weight_decay * learning_rate
        return decayed - learning_rate * g


class GradientDescentOptax(Rule, library="optax", of=GradientDescent):
    """Gradient descent as in optax: the paper's.

    .. math:: x_{t+1} = x_t - \\alpha \\nabla f(x_t)

    ``optax.sgd`` without momentum, read in optax 0.2.8. Not in the paper: alpha = 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha >= 0, in units of x²/f. optax has no default.

    Notes
    -----
    One gradient a step; no state.
    """

    learning_rate: Number = parameter(0.01, NON_NEGATIVE)

    @staticmethod
    def update(p, c, x, g, s):
        return x - p[0] * g
