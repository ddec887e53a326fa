"""Data for regressions, with a given spectrum."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from fastopt.checks import Floats, whole
from fastopt.spectra import Spectrum, haar, member_rng
from fastopt.surfaces.finite_sums import vector


class GeneratedData:
    """A matrix of a given spectrum, coefficients, and the generator for what is to follow."""

    def __init__(
        self,
        owner: str,
        rows: int,
        dim: int,
        spectrum: Spectrum | None,
        coefficients: ArrayLike | None,
        seed: int,
    ):
        rows, dim = whole(owner, "rows", rows, 1), whole(owner, "dim", dim, 1)
        if spectrum is not None and not isinstance(spectrum, Spectrum):
            raise TypeError(
                f"spectrum={spectrum!r}: must be one such as fo.spectra.log_uniform(condition=100) "
                f"({owner})"
            )
        self.rng = member_rng(seed, 0)
        self.A = self._matrix(owner, rows, dim, spectrum)
        if coefficients is None:
            coefficients = self.rng.standard_normal(dim)
        self.coefficients: Floats = vector(owner, "coefficients", coefficients)
        if self.coefficients.shape != (dim,):
            raise ValueError(
                f"coefficients has shape {self.coefficients.shape}: must be ({dim},) ({owner})"
            )
        self.products = self.A @ self.coefficients

    def _matrix(self, owner: str, rows: int, dim: int, spectrum: Spectrum | None) -> Floats:
        normal = self.rng.standard_normal((rows, dim))
        if spectrum is None:
            return normal
        if rows < dim:
            raise ValueError(
                f"rows={rows}: must be >= dim={dim} with a spectrum, which says all {dim} "
                f"eigenvalues ({owner})"
            )
        eigenvalues = spectrum.sample(dim, self.rng)
        if eigenvalues[0] < 0:
            raise ValueError(
                f"spectrum={spectrum!r} drew the eigenvalue {eigenvalues[0]:.3g}: must draw none "
                f"below 0, as A'A/N has none ({owner})"
            )
        q, r = np.linalg.qr(normal)
        q *= np.copysign(1.0, np.diagonal(r))
        return np.sqrt(rows) * (q * np.sqrt(eigenvalues)) @ haar(dim, self.rng).T
