"""Heavy-tailed noise in the gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.ensembles import Objective
from fastopt.kernels.elementary import cos, exp, log, sin
from fastopt.kernels.philox import uniforms
from fastopt.noise.base import Noise, add_scaled, as_number, as_scale, by_coordinate


@dataclass(frozen=True, eq=False)
class StudentT(Noise):
    """Noise of Student's t distribution; see :func:`student_t`."""

    label = "student_t"
    common = 1
    per_draw = 1
    perturb = staticmethod(add_scaled)

    df: float
    scale: Any

    @staticmethod
    def draw(n, a, b, c, d):
        u, v = uniforms(a, b, c, d)
        # u**(-2/df) - 1, which cancels where df is large and u near 1.
        exponent = -2.0 / n[0] * log(u)
        small = exponent * (1.0 + 0.5 * exponent * (1.0 + exponent / 3.0))
        grown = small if exponent < 1e-5 else exp(exponent) - 1.0
        return (math.sqrt(n[0] * grown) * cos(2.0 * math.pi * v),)

    def numbers(self, surface: Objective) -> NDArray[np.float64]:
        return np.append(self.df, by_coordinate("scale", self.scale, surface))


def student_t(df: float, scale: ArrayLike = 1.0) -> Noise:
    """Heavy-tailed noise of Student's t distribution, added to the gradient.

    Drawn by the polar method of R. W. Bailey, "Polar generation of random variates with the
    t-distribution", Mathematics of Computation 62(206), 779-781, 1994.

    Parameters
    ----------
    df : float
        Degrees of freedom > 0; the variance is df/(df - 2) scale² for df > 2, else infinite.
    scale : float, or array_like of shape (dim,), default 1.0
        >= 0, in units of the gradient; one for each coordinate if it is an array.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.noise.student_t(3, scale=0.1)
    StudentT(df=3.0, scale=0.1)
    """
    return StudentT(as_number("df", df, lambda v: v > 0, "> 0"), as_scale("scale", scale))


@dataclass(frozen=True, eq=False)
class AlphaStable(Noise):
    """Noise of a symmetric stable distribution; see :func:`alpha_stable`."""

    label = "alpha_stable"
    common = 1
    per_draw = 1
    perturb = staticmethod(add_scaled)

    alpha: float
    scale: Any

    @staticmethod
    def draw(n, a, b, c, d):
        alpha = n[0]
        u, v = uniforms(a, b, c, d)
        angle = math.pi * (u - 0.5)
        waited = -log(v)
        # Powers of positive numbers as one exponential.
        power = log(cos(angle - alpha * angle) / waited) * ((1.0 - alpha) / alpha)
        return (sin(alpha * angle) * exp(power - log(cos(angle)) / alpha),)

    def numbers(self, surface: Objective) -> NDArray[np.float64]:
        return np.append(self.alpha, by_coordinate("scale", self.scale, surface))


def alpha_stable(alpha: float, scale: ArrayLike = 1.0) -> Noise:
    """Heavy-tailed noise of a symmetric alpha-stable distribution, added to the gradient.

    Its characteristic function is exp(-|scale t|^alpha). Drawn by the method of J. M.
    Chambers, C. L. Mallows, B. W. Stuck, "A method for simulating stable random variables",
    JASA 71(354), 340-344, 1976.

    Parameters
    ----------
    alpha : float
        In (0, 2]: 2 is a normal distribution of variance 2 scale², 1 Cauchy's. Below 2 the
        variance is infinite, up to 1 so is the mean of the magnitude.
    scale : float, or array_like of shape (dim,), default 1.0
        >= 0, in units of the gradient; one for each coordinate if it is an array.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.noise.alpha_stable(1.5, scale=0.1)
    AlphaStable(alpha=1.5, scale=0.1)
    """
    checked = as_number("alpha", alpha, lambda v: 0 < v <= 2, "in (0, 2]")
    return AlphaStable(checked, as_scale("scale", scale))
