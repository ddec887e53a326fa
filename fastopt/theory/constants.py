"""The best constants for curvatures from mu to L, and what they achieve."""

from __future__ import annotations

import math
from typing import NamedTuple

from fastopt.checks import real
from fastopt.names import look_up
from fastopt.rules import Rule
from fastopt.rules.accelerated import AcceleratedGradient, HeavyBall, TripleMomentum
from fastopt.rules.descent.ema_momentum import EMAMomentum
from fastopt.rules.descent.gradient_descent import GradientDescent
from fastopt.rules.descent.momentum import Momentum
from fastopt.rules.descent.nesterov import Nesterov


class Best(NamedTuple):
    """A rule with its best constants.

    ``rate`` is the factor by which errors on quadratics fall in a step, in the long run;
    ``guaranteed`` that on any smooth strongly convex surface, nan where none is known.
    """

    rule: Rule
    rate: float
    guaranteed: float


def best(name: str, mu: float, L: float) -> Best:
    """The best constants of a method for curvatures from *mu* to *L*.

    Parameters
    ----------
    name : str
        "gradient_descent": alpha = 2/(mu + L), Polyak (1987) [1]_; "heavy_ball", Polyak (1964)
        [2]_, which is "momentum", too; "ema_momentum": the same with an averaged gradient;
        "nesterov": alpha = 1/L, Nesterov (2004) [3]_; "nesterov_quadratic": the best for
        quadratics, Lessard et al. (2016) [4]_; "triple_momentum", Van Scoy et al. (2018) [5]_.
    mu, L : float
        0 < mu <= L, in units of f/x².

    Returns
    -------
    Best
        ``rule``, ``rate`` and ``guaranteed``.

    Raises
    ------
    TypeError, ValueError
        No method has that name, or a number is out of its range.

    Notes
    -----
    The heavy ball has the least rate that any method of first order can have on quadratics,
    but may cycle for ever on other surfaces [4]_. With constants at which two roots meet, errors
    are as t rate**t.

    References
    ----------
    .. [1] B. T. Polyak, "Introduction to Optimization", Optimization Software, 1987, section
       1.4.
    .. [2] B. T. Polyak, "Some methods of speeding up the convergence of iteration methods",
       USSR Comput. Math. Math. Phys. 4(5), 1-17, 1964.
    .. [3] Y. Nesterov, "Introductory Lectures on Convex Optimization", Kluwer, 2004.
    .. [4] L. Lessard, B. Recht, A. Packard, "Analysis and Design of Optimization Algorithms
       via Integral Quadratic Constraints", SIAM J. Optim. 26(1), 57-95, 2016,
       arXiv:1408.3595.
    .. [5] B. Van Scoy, R. A. Freeman, K. M. Lynch, "The Fastest Known Globally Convergent
       First-Order Method for Minimizing Strongly Convex Functions", IEEE Control Syst. Lett.
       2(1), 49-54, 2018.

    Examples
    --------
    >>> import fastopt as fo
    >>> best = fo.theory.best("heavy_ball", mu=1.0, L=100.0)
    >>> best.rule.momentum == best.rate**2, round(best.rate, 6)  # 9/11
    (True, 0.818182)
    """
    make = look_up("method with best constants", name, _METHODS)
    mu = real("best", "mu", mu, 0.0, inclusive=False)
    L = real("best", "L", L, 0.0, inclusive=False)
    if mu > L:
        raise ValueError(f"mu={mu}, L={L}: mu must be <= L (best); swap them")
    return make(mu, L)


def _gradient_descent(mu: float, L: float) -> Best:
    rate = (L - mu) / (L + mu)
    return Best(GradientDescent(2.0 / (mu + L)), rate, rate)


def _heavy_ball(mu: float, L: float) -> Best:
    rule = HeavyBall(mu, L)
    alpha, beta = rule.per_step((mu, L), 0, ())
    return Best(Momentum(alpha, beta), math.sqrt(beta), math.nan)


def _ema_momentum(mu: float, L: float) -> Best:
    alpha, beta = HeavyBall(mu, L).per_step((mu, L), 0, ())
    rule = EMAMomentum(alpha / (1.0 - beta), beta, debias=False)
    return Best(rule, math.sqrt(beta), math.nan)


def _nesterov(mu: float, L: float) -> Best:
    share = math.sqrt(mu / L)
    return Best(_accelerated(mu, L, quadratic=False), 1.0 - share, math.sqrt(1.0 - share))


def _nesterov_quadratic(mu: float, L: float) -> Best:
    rate = 1.0 - 2.0 / math.sqrt(3.0 * L / mu + 1.0)
    return Best(_accelerated(mu, L, quadratic=True), rate, math.nan)


def _accelerated(mu: float, L: float, quadratic: bool) -> Nesterov:
    rule = AcceleratedGradient(mu, L, quadratic)
    return Nesterov(*rule.per_step((mu, L, quadratic), 0, ()))


def _triple_momentum(mu: float, L: float) -> Best:
    rate = 1.0 - math.sqrt(mu / L)
    return Best(TripleMomentum(mu, L), rate, rate)


_METHODS = {
    "gradient_descent": _gradient_descent,
    "heavy_ball": _heavy_ball,
    "momentum": _heavy_ball,
    "ema_momentum": _ema_momentum,
    "nesterov": _nesterov,
    "nesterov_quadratic": _nesterov_quadratic,
    "triple_momentum": _triple_momentum,
}
