"""Descent along the gradient, with and without momentum."""

from __future__ import annotations

from fastopt.kernels.powers import next_power
from fastopt.rules.base import FRACTION, POSITIVE, Number, Rule, flag, parameter


class GradientDescent(Rule):
    """Gradient descent: a step against the gradient.

    .. math:: x_{t+1} = x_t - \\alpha \\nabla f(x_t)

    Cauchy (1847) [1]_. Stochastic gradient descent (``fo.SGD``) is this class too.

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

    learning_rate: Number = parameter(0.01, POSITIVE)

    @staticmethod
    def update(p, c, x, g, s):
        return x - p[0] * g


class Momentum(Rule):
    """Classical momentum, the heavy ball: the step is remembered.

    .. math::

        v_{t+1} &= \\mu v_t - \\alpha \\nabla f(x_t) \\\\
        x_{t+1} &= x_t + v_{t+1}

    from v_0 = 0: Polyak (1964) [1]_, equation 9, in the form of Sutskever et al. (2013)
    [2]_, equations 1 and 2.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha > 0, in units of x²/f. On a quadratic with largest eigenvalue L, stable for
        alpha < (2 + 2 mu)/L.
    momentum : float or array, default 0.9
        mu in [0, 1), without unit.

    Notes
    -----
    One gradient a step; one slot, v.

    References
    ----------
    .. [1] B. T. Polyak, "Some methods of speeding up the convergence of iteration methods",
       USSR Comput. Math. Math. Phys. 4(5), 1-17, 1964.
    .. [2] I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization
       and momentum in deep learning", ICML 2013.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.Momentum(0.5, momentum=0.5)
    >>> runs = fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=2, stop=None)
    >>> runs.x
    array([[-0.5]])
    """

    name = "momentum"
    slots = ("v",)

    learning_rate: Number = parameter(0.01, POSITIVE)
    momentum: Number = parameter(0.9, FRACTION)

    @staticmethod
    def update(p, c, x, g, s):
        v = p[1] * s[0] - p[0] * g
        return x + v, (v,)


class EMAMomentum(Rule):
    """Momentum as an exponential moving average of the gradient.

    .. math::

        v_{t+1} &= \\beta v_t + (1 - \\beta) \\nabla f(x_t) \\\\
        x_{t+1} &= x_t - \\alpha v_{t+1}

    from v_0 = 0. With ``debias``, v_{t+1} / (1 - beta^(t+1)) takes the place of v_{t+1} in
    the second line: the first moment of Adam, Kingma and Ba (2015) [1]_, Algorithm 1.
    Without, it is classical momentum with the learning rate (1 - beta) alpha.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha > 0, in units of x²/f. On a quadratic with largest eigenvalue L, stable for
        alpha < (2 + 2 beta)/(L (1 - beta)): 38/L for beta = 0.9.
    beta : float or array, default 0.9
        Decay of the average, in [0, 1), without unit.
    debias : bool, default False
        Whether to correct for the start from 0.

    Notes
    -----
    One gradient a step; one slot, v.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015,
       arXiv:1412.6980.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.EMAMomentum(0.5, beta=0.5)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.5]])
    >>> rule = fo.EMAMomentum(0.5, beta=0.5, debias=True)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.]])
    """

    name = "ema_momentum"
    slots = ("v",)
    scalars = (1.0, 0.0, 0.0)

    learning_rate: Number = parameter(0.01, POSITIVE)
    beta: Number = parameter(0.9, FRACTION)
    debias: bool = flag(False)

    @staticmethod
    def per_step(p, t, c):
        learning_rate, beta, debias = p
        high, low = next_power(c[0], c[1], beta)
        return high, low, learning_rate / ((1.0 - high) - low) if debias else learning_rate

    @staticmethod
    def update(p, c, x, g, s):
        beta = p[1]
        v = beta * s[0] + (1.0 - beta) * g
        return x - c[2] * v, (v,)


class Nesterov(Rule):
    """Nesterov's accelerated gradient: momentum with the gradient at the look-ahead point.

    .. math::

        v_{t+1} &= \\mu v_t - \\alpha \\nabla f(x_t + \\mu v_t) \\\\
        x_{t+1} &= x_t + v_{t+1}

    from v_0 = 0: Nesterov (1983) [1]_ with a constant coefficient, in the form of Sutskever
    et al. (2013) [2]_, equations 3 and 4. The iterate is x_t, not the look-ahead point.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha > 0, in units of x²/f. On a quadratic with largest eigenvalue L, stable for
        alpha < (2 + 2 mu)/(L (1 + 2 mu)).
    momentum : float or array, default 0.9
        mu in [0, 1), without unit.

    Notes
    -----
    One gradient a step, and another at x_t itself where a run stops by its gradient; one
    slot, v.

    References
    ----------
    .. [1] Y. Nesterov, "A method for solving the convex programming problem with convergence
       rate O(1/k²)", Dokl. Akad. Nauk SSSR 269, 543-547, 1983.
    .. [2] I. Sutskever, J. Martens, G. Dahl, G. Hinton, "On the importance of initialization
       and momentum in deep learning", ICML 2013.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.Nesterov(0.5, momentum=0.5)
    >>> runs = fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=2, stop=None)
    >>> runs.x
    array([[0.]])
    """

    name = "nesterov"
    slots = ("v",)

    learning_rate: Number = parameter(0.01, POSITIVE)
    momentum: Number = parameter(0.9, FRACTION)

    @staticmethod
    def point(p, c, x, s):
        return x + p[1] * s[0]

    @staticmethod
    def update(p, c, x, g, s):
        v = p[1] * s[0] - p[0] * g
        return x + v, (v,)
