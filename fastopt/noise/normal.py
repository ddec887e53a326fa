"""Normal noise in the gradient, added to it or in proportion to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import symmetric_matrix
from fastopt.ensembles import Objective, RandomQuadratics
from fastopt.noise.base import Noise, add_scaled, as_scale, by_coordinate, draw_normals
from fastopt.rules import Rule
from fastopt.surfaces import Surface
from fastopt.surfaces.quadratic import Quadratic


@dataclass(frozen=True, eq=False)
class Gaussian(Noise):
    """Normal noise; see :func:`gaussian`."""

    label = "gaussian"
    draw = staticmethod(draw_normals)
    perturb = staticmethod(add_scaled)

    std: Any
    covariance: Any = None

    @property
    def mixes(self) -> bool:
        return self.covariance is not None

    @property
    def uses_hessian(self) -> bool:
        return isinstance(self.covariance, str)

    def numbers(self, surface: Objective) -> NDArray[np.float64]:
        if self.covariance is None:
            return by_coordinate("std", self.std, surface)
        if isinstance(surface, Quadratic) and self.uses_hessian:
            if surface.eigenvalues[0] < -1e-12 * surface.lipschitz:
                raise ValueError(_below(surface.eigenvalues[0]))
            return (self.std * surface.root).ravel()
        matrix = self.covariance
        if isinstance(matrix, str):
            assert isinstance(surface, Surface)  # of an ensemble, each member
            matrix = _constant_hessian(surface)
        if matrix.shape != (surface.dim, surface.dim):
            raise ValueError(
                f"covariance has shape {matrix.shape}: must be {(surface.dim,) * 2} for {surface!r}"
            )
        values, vectors = np.linalg.eigh(matrix)
        if values[0] < -1e-12 * max(abs(values[-1]), 0.0):
            raise ValueError(_below(values[0]))
        root = vectors * np.sqrt(np.maximum(values, 0.0)) @ vectors.T
        return (self.std * root).ravel()

    def check(self, rule: Rule, surface: Objective) -> None:
        super().check(rule, surface)
        if isinstance(surface, RandomQuadratics) and self.uses_hessian:
            least = surface.least_eigenvalue()
            if least < 0:
                raise ValueError(f"{_below(least)} in any member of {surface!r}")


def _below(eigenvalue: float) -> str:
    return f"covariance has the eigenvalue {eigenvalue:.3g}: must have none below 0"


def gaussian(std: ArrayLike, covariance: ArrayLike | str | None = None) -> Noise:
    """Normal noise of mean 0, added to the gradient that the rule gets.

    Stop criteria and results are those of the noiseless gradient.

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
        return Gaussian(as_scale("std", std))
    if isinstance(covariance, str):
        if covariance != "hessian":
            raise ValueError(f"covariance={covariance!r}: must be a matrix or 'hessian'")
        return Gaussian(as_scale("std", std, axes=0), covariance)
    if np.ndim(covariance) == 1:
        raise ValueError(
            f"covariance has shape {np.shape(covariance)}: must be square; for variances of the "
            "coordinates give std=np.sqrt(variances)"
        )
    matrix = symmetric_matrix("gaussian", "covariance", covariance)
    return Gaussian(as_scale("std", std, axes=0), matrix)


@dataclass(frozen=True, eq=False)
class Multiplicative(Noise):
    """Noise in proportion to the gradient; see :func:`multiplicative`."""

    label = "multiplicative"
    draw = staticmethod(draw_normals)

    std: Any

    @staticmethod
    def perturb(n, g, z):
        return g * (1.0 + n[0] * z)

    def numbers(self, surface: Objective) -> NDArray[np.float64]:
        return by_coordinate("std", self.std, surface)


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
    return Multiplicative(as_scale("std", std))


def _constant_hessian(surface: Surface) -> NDArray[np.float64]:
    points = surface.bounds @ np.random.default_rng(0).dirichlet([1.0, 1.0], 3).T
    hessians = surface.hessian(points.T)
    if not np.array_equal(hessians[0], hessians[1]) or not np.array_equal(*hessians[1:]):
        raise ValueError(
            f"covariance='hessian': {surface!r} must have the same Hessian everywhere; give a "
            "matrix instead"
        )
    return hessians[0]
