"""What the functions of this package take: eigenvalues or a spectrum, starts and noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from fastopt.checks import Floats, whole
from fastopt.ensembles import RandomQuadratics
from fastopt.spectra import Spectrum
from fastopt.surfaces.quadratic import Quadratic

Eigenvalues: TypeAlias = Spectrum | RandomQuadratics | Quadratic | ArrayLike
"""A spectrum; an ensemble, or one quadratic; or an array of eigenvalues of shape (..., dim)."""

# Quadrature resolves what so many steps can oscillate along a spectrum, and not more: time goes
# with it. What is left after so many steps has long stopped oscillating, or is nearly 0.
_MOST_DEGREE = 8192
# Of an exponential spectrum, t steps look at eigenvalues of some 2 t times its mean, and those
# beyond 750 have a density of 0 in double precision.
_MOST_UNBOUNDED = 250
# Of random matrices so many are left out, at either end of their eigenvalues: the mean of all would
# be ruled, after many steps, by those on which the rule diverges, which no one will ever draw.
_RARE = 1e-4


@dataclass(frozen=True)
class Problem:
    """Eigenvalues (..., n), the weights of their sum, variances of starts and of the noise."""

    curvature: Floats
    weight: Floats
    start: Floats
    noise: Floats

    def total(self, values: Floats) -> Floats:
        """The sum of *values* (..., n) over the eigenvalues."""
        return np.sum(self.weight * values, axis=-1)


def make_problem(
    spectrum: Eigenvalues,
    dim: int | None,
    steps: int,
    start_std: ArrayLike,
    noise_std: ArrayLike,
    covariance: str | None,
) -> Problem:
    """The arguments of a function of this package, checked, as arrays."""
    if isinstance(spectrum, Spectrum):
        if steps > _MOST_UNBOUNDED:
            require_bounded(spectrum, f"for more than {_MOST_UNBOUNDED} steps")
        curvature, weight = spectrum.nodes(min(2 * steps + 3, _MOST_DEGREE), dim)
        if dim is not None:
            weight = weight * whole("fo.theory", "dim", dim, 1)
            if spectrum.repels:
                curvature, weight = _without_rare(curvature, weight)
        shape: tuple[int, ...] = ()
    else:
        if isinstance(spectrum, RandomQuadratics):
            curvature, shape = spectrum.eigenvalues.ravel(), ()
            weight = np.full(curvature.shape, 1.0 / spectrum.count)
        else:
            given = spectrum.eigenvalues if isinstance(spectrum, Quadratic) else spectrum
            curvature = check_eigenvalues(given)
            weight, shape = np.ones(curvature.shape[-1]), curvature.shape
        if dim is not None:
            found = spectrum.dim if isinstance(spectrum, RandomQuadratics) else shape[-1]
            raise ValueError(
                f"dim={dim!r}: must be left out where eigenvalues are given: it is their number, "
                f"{found}"
            )
    start = _variance("start_std", start_std, shape)
    noise = noise_variance(noise_std, covariance, curvature, shape)
    return Problem(curvature, weight, start, noise)


def _without_rare(curvature: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Without the ends beyond which there are fewer than so many eigenvalues a matrix."""
    order = np.argsort(curvature)
    ahead = np.cumsum(weight[order])
    kept = order[(ahead > _RARE) & (ahead[-1] - ahead > _RARE)]
    return curvature[kept], weight[kept]


def require_bounded(spectrum: Eigenvalues, purpose: str) -> None:
    """Raise if there is no greatest eigenvalue."""
    if isinstance(spectrum, Spectrum) and math.isinf(spectrum.high):
        raise ValueError(
            f"spectrum={spectrum!r}: must be bounded {purpose}, as no learning rate is stable on "
            "all of it; give eigenvalues instead, spectrum.sample(dim, rng)"
        )


def noise_variance(
    noise_std: ArrayLike, covariance: str | None, curvature: Floats, shape: tuple[int, ...]
) -> Floats:
    """The variance of the noise in the gradient along each eigenvector."""
    variance = _variance("noise_std", noise_std, shape)
    if covariance is None:
        return variance
    if covariance != "hessian":
        raise ValueError(f"covariance={covariance!r}: must be None or 'hessian'")
    if (curvature < 0).any():
        raise ValueError(
            f"covariance='hessian': the eigenvalue {curvature.min():g} must not be below 0, as a "
            "variance; leave the covariance out"
        )
    return variance * curvature


def check_eigenvalues(values: ArrayLike) -> Floats:
    """*values* as an array (..., dim) of finite floats."""
    try:
        array = np.asarray(values)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in "fiu":
        raise TypeError(
            f"spectrum={values!r}: must be a spectrum such as fo.spectra.uniform(), or an array "
            "of eigenvalues"
        )
    if not array.ndim or not array.size:
        raise ValueError(
            f"spectrum has shape {array.shape}: must be (..., dim) with dim >= 1; one eigenvalue "
            "is [value]"
        )
    if not np.isfinite(array).all():
        raise ValueError("spectrum holds nan or inf: all eigenvalues must be finite")
    return array.astype(np.float64)


def _variance(name: str, std: Any, shape: tuple[int, ...]) -> Floats:
    array = np.asarray(std)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"{name}={std!r}: must be a number, or one for each eigenvalue")
    if not (np.isfinite(array) & (array >= 0)).all():
        raise ValueError(f"{name}={std!r}: must be finite and >= 0")
    try:
        fits = np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        wanted = f"a number, or broadcast to {shape}" if shape else "a number, with a spectrum"
        raise ValueError(f"{name} has shape {array.shape}: must be {wanted}")
    return array.astype(np.float64) ** 2
