"""Noise in the gradient: what a rule sees of it, while stop criteria see the exact one.

``fo.run(rule, surface, starts, noise=fo.noise.gaussian(0.1), seed=1)``. The noise of a run
depends on the seed, its index in the batch, the step and the coordinate, and on nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import symmetric_matrix
from fastopt.kernels.elementary import cos, exp, log, sin
from fastopt.kernels.parts import KernelFunction, NoiseParts
from fastopt.kernels.philox import normals, uniforms
from fastopt.rules import Rule
from fastopt.surfaces import Surface

__all__ = ["alpha_stable", "gaussian", "multiplicative", "student_t"]


@dataclass(frozen=True, eq=False)
class Noise:
    """Noise in the gradient; made by the functions of this module.

    A kind of noise has the plain functions of numbers that numba compiles

    ``draw(n, a, b, c, d)``
        The tuple of ``per_draw`` random numbers of four random words; *n* are the numbers of
        :meth:`numbers` that all coordinates share.
    ``perturb(n, g, z)``
        The noisy derivative, of the exact one and a random number; *n* has the coordinate's
        own numbers after the shared ones.
    """

    label: ClassVar[str]
    shared: ClassVar[int] = 0
    per_draw: ClassVar[int] = 2
    draw: ClassVar[KernelFunction]
    perturb: ClassVar[KernelFunction]

    @property
    def mixes(self) -> bool:
        """Whether each coordinate has a linear combination of all random numbers."""
        return False

    @property
    def uses_hessian(self) -> bool:
        """Whether its numbers are made of the surface's Hessian."""
        return False

    def parts(self) -> NoiseParts:
        """What the kernels compile."""
        cls = type(self)
        return NoiseParts(
            label=f"{cls.label}-mixed" if self.mixes else cls.label,
            source=cls,
            draw=cls.draw,
            perturb=_mixed if self.mixes else cls.perturb,
            shared=cls.shared,
            own=1,
            per_draw=cls.per_draw,
            mixes=self.mixes,
        )

    def numbers(self, surface: Surface) -> NDArray[np.float64]:
        """The numbers that all coordinates share, then those of each coordinate."""
        raise NotImplementedError

    def check(self, rule: Rule) -> None:
        """Raise ValueError if this noise cannot be had with that rule."""
        if rule.iterate is not None:
            raise ValueError(
                f"noise={self!r}: {rule.name} must have the exact gradient, for it evaluates it "
                "several times a step; take a rule that evaluates it once"
            )


def _mixed(n, g, z):
    return g + z


def _add_scaled(n, g, z):
    return g + n[-1] * z


def _normals(n, a, b, c, d):
    return normals(a, b, c, d)


@dataclass(frozen=True, eq=False)
class Gaussian(Noise):
    """Normal noise; see :func:`gaussian`."""

    label = "gaussian"
    draw = staticmethod(_normals)
    perturb = staticmethod(_add_scaled)

    std: Any
    covariance: Any = None

    @property
    def mixes(self) -> bool:
        return self.covariance is not None

    @property
    def uses_hessian(self) -> bool:
        return isinstance(self.covariance, str)

    def numbers(self, surface: Surface) -> NDArray[np.float64]:
        if self.covariance is None:
            return _by_coordinate("std", self.std, surface)
        matrix = self.covariance
        if isinstance(matrix, str):
            matrix = _constant_hessian(surface)
        if matrix.shape != (surface.dim, surface.dim):
            raise ValueError(
                f"covariance has shape {matrix.shape}: must be {(surface.dim,) * 2} for {surface!r}"
            )
        values, vectors = np.linalg.eigh(matrix)
        if values[0] < -1e-12 * max(abs(values[-1]), 0.0):
            raise ValueError(
                f"covariance has the eigenvalue {values[0]:.3g}: must have none below 0"
            )
        root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
        return (self.std * root).ravel()


def gaussian(std: ArrayLike, covariance: ArrayLike | str | None = None) -> Noise:
    """Normal noise of mean 0, added to the gradient.

    Parameters
    ----------
    std : float, or array_like of shape (dim,)
        Standard deviation >= 0, in units of the gradient; one for each coordinate if it is an
        array. With a covariance, a factor without unit.
    covariance : array_like of shape (dim, dim), or "hessian", optional
        The noise has std² times this covariance; "hessian" is that of a surface whose Hessian
        is the same everywhere and has no negative eigenvalue.

    Raises
    ------
    TypeError, ValueError
        Here, or by ``fo.run`` where it depends on the surface: a number out of its range, an
        array of another shape, a matrix that is not symmetric or not positive semidefinite.

    Examples
    --------
    >>> import fastopt as fo
    >>> noise = fo.noise.gaussian(0.1)
    >>> runs = fo.run(fo.SGD(0.1), fo.Sphere(), [[1.0, 1.0]], max_steps=100, stop=None, noise=noise)
    >>> bool(abs(runs.x).max() < 1)
    True
    """
    if covariance is None:
        return Gaussian(_scale("std", std))
    if isinstance(covariance, str):
        if covariance != "hessian":
            raise ValueError(f"covariance={covariance!r}: must be a matrix or 'hessian'")
        return Gaussian(_scale("std", std, axes=0), covariance)
    if np.ndim(covariance) == 1:
        raise ValueError(
            f"covariance has shape {np.shape(covariance)}: must be square; for variances of the "
            "coordinates give std=np.sqrt(variances)"
        )
    matrix = symmetric_matrix("gaussian", "covariance", covariance)
    return Gaussian(_scale("std", std, axes=0), matrix)


@dataclass(frozen=True, eq=False)
class Multiplicative(Noise):
    """Noise in proportion to the gradient; see :func:`multiplicative`."""

    label = "multiplicative"
    draw = staticmethod(_normals)

    std: Any

    @staticmethod
    def perturb(n, g, z):
        return g * (1.0 + n[0] * z)

    def numbers(self, surface: Surface) -> NDArray[np.float64]:
        return _by_coordinate("std", self.std, surface)


def multiplicative(std: ArrayLike) -> Noise:
    """Each derivative is multiplied by a normal number of mean 1.

    Parameters
    ----------
    std : float, or array_like of shape (dim,)
        Standard deviation >= 0, without unit; one for each coordinate if it is an array.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.noise.multiplicative(0.5)
    Multiplicative(std=0.5)
    """
    return Multiplicative(_scale("std", std))


@dataclass(frozen=True, eq=False)
class StudentT(Noise):
    """Noise of Student's t distribution; see :func:`student_t`."""

    label = "student_t"
    shared = 1
    per_draw = 1
    perturb = staticmethod(_add_scaled)

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

    def numbers(self, surface: Surface) -> NDArray[np.float64]:
        return np.append(self.df, _by_coordinate("scale", self.scale, surface))


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
    return StudentT(_single("df", df, lambda v: v > 0, "must be > 0"), _scale("scale", scale))


@dataclass(frozen=True, eq=False)
class AlphaStable(Noise):
    """Noise of a symmetric stable distribution; see :func:`alpha_stable`."""

    label = "alpha_stable"
    shared = 1
    per_draw = 1
    perturb = staticmethod(_add_scaled)

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

    def numbers(self, surface: Surface) -> NDArray[np.float64]:
        return np.append(self.alpha, _by_coordinate("scale", self.scale, surface))


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
    checked = _single("alpha", alpha, lambda v: 0 < v <= 2, "must be in (0, 2]")
    return AlphaStable(checked, _scale("scale", scale))


# -- checks ------------------------------------------------------------------------------


def _numbers(name: str, value: Any) -> NDArray[np.float64]:
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}={value!r}: must be a number or an array of numbers")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{name}={value!r}: must be finite")
    return array


def _single(name: str, value: Any, holds: Any, text: str) -> float:
    array = _numbers(name, value)
    if array.ndim or not holds(array):
        raise ValueError(f"{name}={value!r}: {text}, one number")
    return float(array)


def _scale(name: str, value: Any, axes: int = 1) -> Any:
    array = _numbers(name, value)
    if array.ndim > axes:
        wanted = "a number or one for each coordinate" if axes else "a number"
        raise ValueError(f"{name} has shape {array.shape}: must be {wanted}")
    if (array < 0).any():
        raise ValueError(f"{name}={value!r}: must be >= 0")
    return array if array.ndim else float(array)


def _by_coordinate(name: str, value: Any, surface: Surface) -> NDArray[np.float64]:
    if np.shape(value) not in ((), (surface.dim,)):
        raise ValueError(
            f"{name} has shape {np.shape(value)}: must be a number, or {(surface.dim,)} for "
            f"{surface!r}"
        )
    return np.array(np.broadcast_to(value, surface.dim), np.float64)


def _constant_hessian(surface: Surface) -> NDArray[np.float64]:
    points = surface.bounds @ np.random.default_rng(0).dirichlet([1.0, 1.0], 3).T
    hessians = surface.hessian(points.T)
    if not np.array_equal(hessians[0], hessians[1]) or not np.array_equal(*hessians[1:]):
        raise ValueError(
            f"covariance='hessian': {surface!r} must have the same Hessian everywhere; give a "
            "matrix instead"
        )
    return hessians[0]
