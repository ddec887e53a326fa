"""Rules that find the length of the step along the gradient as they go."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastopt.rules.base import NON_NEGATIVE, POSITIVE, Interval, Number, Rule, flag, parameter

ANY = Interval("must be a number", lambda v: v == v)


class Polyak(Rule):
    """Polyak's step, whose length follows from the lowest value.

    .. math::

        x_{t+1} = x_t - \\lambda \\frac{f(x_t) - f^*}{\\|\\nabla f(x_t)\\|^2} \\nabla f(x_t)

    Polyak (1969) [1]_. Where the gradient is 0, the run stays.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 1.0
        lambda > 0, without unit. On a convex surface, each step brings the iterate nearer to
        every minimum for lambda < 2.
    fun_min : float or array, default 0.0
        f*, in units of f: the lowest value of the surface, ``surface.fun_min``. Where a value
        is below it, the step goes uphill.

    Notes
    -----
    One gradient and one value a step; no state.

    References
    ----------
    .. [1] B. T. Polyak, "Minimization of unsmooth functionals", USSR Comput. Math. Math.
       Phys. 9(3), 14-29, 1969.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.run(fo.Polyak(), fo.Sphere(), [[1.0, -2.0]], max_steps=2, stop=None).x
    array([[ 0.25, -0.5 ]])
    """

    name = "polyak"
    reductions, combined = 1, 1
    uses_value = True

    learning_rate: Number = parameter(1.0, POSITIVE)
    fun_min: Number = parameter(0.0, ANY)

    @staticmethod
    def terms(p, c, x, g, s):
        return (g * g,)

    @staticmethod
    def combine(p, c, sums, f, m):
        return (p[0] * ((f - p[1]) / sums[0]) if sums[0] > 0.0 else 0.0,)

    @staticmethod
    def update(p, c, x, g, s):
        return x - c[0] * g


class PolyakOptax(Rule, library="optax", of=Polyak):
    """Polyak's step as in optax, no longer than a largest rate.

    Differs from the paper: the gradient is multiplied by the learning rate before its norm is
    taken, so that a step is divided by that, not multiplied; the ratio of value and squared
    norm is at most ``max_rate``, and 0 where its denominator is at most 2^-52.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 1.0
        optax's ``scaling``, >= 0, without unit.
    fun_min : float or array, default 0.0
        optax's ``f_min``, in units of f.
    max_rate : float or array, default 1.0
        optax's ``max_learning_rate``, >= 0, in units of x²/f for a learning rate of 1.
    eps : float or array, default 0.0
        >= 0, in units of (f/x)², added to the squared norm.

    Notes
    -----
    ``optax.polyak_sgd(max_learning_rate, scaling, f_min, eps)``, variant "sps", version
    0.2.8. The threshold 2^-52 is that of double precision, in single precision too.
    """

    reductions, combined = 1, 1
    uses_value = True

    learning_rate: Number = parameter(1.0, NON_NEGATIVE)
    fun_min: Number = parameter(0.0, ANY)
    max_rate: Number = parameter(1.0, NON_NEGATIVE)
    eps: Number = parameter(0.0, NON_NEGATIVE)

    @staticmethod
    def terms(p, c, x, g, s):
        scaled = p[0] * g
        return (scaled * scaled,)

    @staticmethod
    def combine(p, c, sums, f, m):
        _, fun_min, max_rate, eps = p
        size = sums[0] + eps
        ratio = (f - fun_min) / size if size > 2.220446049250313e-16 else 0.0
        return (ratio if ratio < max_rate else max_rate,)

    @staticmethod
    def update(p, c, x, g, s):
        scaled = p[0] * g
        return x - c[0] * scaled


class BarzilaiBorwein(Rule):
    """Gradient descent whose step is the inverse of the last secant's curvature.

    .. math::

        x_{t+1} = x_t - \\alpha_t \\nabla f(x_t), \\quad
        \\alpha_t = \\frac{s^T s}{s^T y} \\text{ (long) or } \\frac{s^T y}{y^T y}
        \\text{ (short)}

    with s = x_t - x_{t-1}, y the difference of their gradients, and a first step of length
    alpha_0: the two methods of Barzilai and Borwein (1988) [1]_. They are meant for positive
    curvature; where s'y is not > 0, the last alpha_t is kept, and so where s's or y'y
    underflows to 0.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 0.01
        alpha_0 > 0, in units of x²/f: of the first step alone.
    short : bool, default False
        Whether to take the short step, not the long one.

    Notes
    -----
    One gradient a step; two slots, the last x and its gradient. On a strictly convex
    quadratic it converges from every start [2]_, though neither value nor distance falls at every
    step; on other surfaces it may diverge.

    References
    ----------
    .. [1] J. Barzilai, J. M. Borwein, "Two-Point Step Size Gradient Methods", IMA J. Numer.
       Anal. 8(1), 141-148, 1988.
    .. [2] M. Raydan, "On the Barzilai and Borwein choice of steplength for the gradient
       method", IMA J. Numer. Anal. 13(3), 321-326, 1993.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.BarzilaiBorwein(0.25)
    >>> fo.run(rule, fo.Sphere(), [[1.0, -2.0]], max_steps=2, stop=None).x
    array([[0., 0.]])
    """

    name = "barzilai_borwein"
    slots = ("x", "g")
    memory = (0.0,)
    reductions, combined = 2, 1

    learning_rate: Number = parameter(0.01, POSITIVE)
    short: bool = flag(False)

    def initial_slots(self, p: tuple[Any, ...], x: np.ndarray) -> tuple[Any, ...]:
        return x, 0.0

    @staticmethod
    def terms(p, c, x, g, s):
        dx, dg = x - s[0], g - s[1]
        return dx * dg, dg * dg if p[1] else dx * dx

    @staticmethod
    def combine(p, c, sums, f, m):
        product, square = sums
        last = m[0] if m[0] > 0.0 else p[0]
        ratio = product / square if p[1] else square / product
        # At the first step dx is 0, and so is the product.
        step = ratio if product > 0.0 and square > 0.0 else last
        return (step,), (step,)

    @staticmethod
    def update(p, c, x, g, s):
        return x - c[0] * g, (x, g)


class DoG(Rule):
    """Distance over gradients: no learning rate to tune.

    .. math::

        x_{t+1} = x_t - \\alpha \\frac{\\max(r_\\epsilon, \\max_{i \\le t} \\|x_i - x_0\\|)}
        {\\sqrt{\\sum_{i \\le t} \\|g_i\\|^2 + \\epsilon}} \\, g_t, \\quad
        r_\\epsilon = r (1 + \\|x_0\\|)

    with g_i the gradient at x_i: Ivgi, Hinder and Carmon (2023) [1]_, whose alpha is 1. r and
    epsilon have the defaults of the authors' code. The iterate is x_t, not an average.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 1.0
        alpha > 0, without unit.
    first : float or array, default 1e-6
        r > 0, the length of the first step in units of 1 + ||x_0||.
    eps : float or array, default 1e-8
        epsilon >= 0, in units of (f/x)².

    Notes
    -----
    One gradient a step; one slot, x_0. The first steps are tiny; they grow until the iterate
    has moved as far as the minimum is away.

    References
    ----------
    .. [1] M. Ivgi, O. Hinder, Y. Carmon, "DoG is SGD's Best Friend: A Parameter-Free Dynamic
       Step Size Schedule", ICML 2023, arXiv:2302.12022.

    Examples
    --------
    >>> import fastopt as fo
    >>> rule = fo.DoG(first=0.125, eps=0.0)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=1, stop=None).x
    array([[0.75]])
    """

    name = "dog"
    slots = ("start",)
    memory = (0.0, 0.0)
    reductions, combined = 3, 1

    learning_rate: Number = parameter(1.0, POSITIVE)
    first: Number = parameter(1e-6, POSITIVE)
    eps: Number = parameter(1e-8, NON_NEGATIVE)

    def initial_slots(self, p: tuple[Any, ...], x: np.ndarray) -> tuple[Any, ...]:
        return (x,)

    @staticmethod
    def terms(p, c, x, g, s):
        away = x - s[0]
        return g * g, away * away, s[0] * s[0]

    @staticmethod
    def combine(p, c, sums, f, m):
        learning_rate, first, eps = p
        farthest = m[0] if m[0] > 0.0 else first * (1.0 + math.sqrt(sums[2]))
        distance = math.sqrt(sums[1])
        farthest = distance if distance > farthest else farthest
        total = m[1] + sums[0]
        size = math.sqrt(total + eps)
        step = learning_rate * (farthest / size) if size > 0.0 else 0.0
        return (step,), (farthest, total)

    @staticmethod
    def update(p, c, x, g, s):
        return x - c[0] * g, s


class DoGOptax(DoG, library="optax", of=DoG):
    """Distance over gradients as in optax.

    Differs from the paper in nothing but the range of the learning rate; there is no weight
    decay.

    Parameters
    ----------
    learning_rate : float, array or schedule, default 1.0
        >= 0, without unit.
    first : float or array, default 1e-6
        The value of optax's ``init_step=("heuristic", first)``, > 0.
    eps : float or array, default 1e-8
        >= 0, in units of (f/x)².

    Notes
    -----
    ``optax.contrib.dog(learning_rate, ("heuristic", first), eps)``, version 0.2.8.
    """

    learning_rate: Number = parameter(1.0, NON_NEGATIVE)
