"""Spectra made of another: with outliers, or with eigenvalues below 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fastopt.checks import Floats, whole
from fastopt.spectra.base import Spectrum, require_dim
from fastopt.spectra.laws import LogUniform
from fastopt.spectra.quadrature import Atom, Band, mirrored, scaled
from fastopt.spectra.random_matrices import MarchenkoPastur


def _check_inner(owner: str, name: str, value: object) -> None:
    if not isinstance(value, Spectrum):
        raise TypeError(
            f"{name}={value!r}: must be a spectrum such as fo.spectra.uniform() ({owner})"
        )


@dataclass(frozen=True, repr=False)
class Spiked(Spectrum):
    """A bulk of eigenvalues and a few given outliers.

    The spiked model of Johnstone (2001) [1]_ as its matrices show it; Hessians of neural
    networks look so too, Sagun et al. (2018) [2]_. A sample of dim eigenvalues has each of the
    k outliers once, at its place, and dim - k of the bulk.

    Parameters
    ----------
    outliers : float or sequence of floats, default (10.0,)
        In units of f/x²; above, inside or below the bulk.
    bulk : Spectrum, default marchenko_pastur(ratio=0.5)
        The distribution of the others.

    Notes
    -----
    Outliers weigh 1/dim each, so expectations need ``dim``.

    References
    ----------
    .. [1] I. M. Johnstone, "On the distribution of the largest eigenvalue in principal
       components analysis", Ann. Stat. 29(2), 295-327, 2001.
    .. [2] L. Sagun, U. Evci, V. U. Güney, Y. Dauphin, L. Bottou, "Empirical analysis of the
       Hessian of over-parametrized neural networks", 2018, arXiv:1706.04454.

    Examples
    --------
    >>> import fastopt as fo
    >>> spectrum = fo.spectra.spiked(outliers=(10.0, 20.0), bulk=fo.spectra.uniform())
    >>> spectrum.sample(100, fo.spectra.member_rng(seed=0, i=0))[-2:]
    array([10., 20.])
    """

    name = "spiked"

    outliers: float | Sequence[float] = (10.0,)
    bulk: Spectrum = MarchenkoPastur(ratio=0.5)  # noqa: RUF009 (it is immutable)

    def __post_init__(self) -> None:
        values = np.atleast_1d(np.asarray(self.outliers))
        if values.dtype.kind not in "fiu" or values.ndim != 1 or not values.size:
            raise TypeError(
                f"outliers={self.outliers!r}: must be a number or a sequence of numbers, at least "
                "one (spiked); without outliers, use the bulk itself"
            )
        if not np.isfinite(values).all():
            raise ValueError(f"outliers={self.outliers!r}: must be finite (spiked); leave nan out")
        object.__setattr__(self, "outliers", tuple(sorted(float(v) for v in values)))
        _check_inner(self.name, "bulk", self.bulk)

    @property
    def places(self) -> tuple[float, ...]:
        """The outliers, in ascending order."""
        return self.outliers  # type: ignore[return-value]

    @property
    def low(self) -> float:
        return min(self.bulk.low, self.places[0])

    @property
    def high(self) -> float:
        return max(self.bulk.high, self.places[-1])

    @property
    def semidefinite(self) -> bool:
        return self.bulk.semidefinite and self.places[0] >= 0

    def _dim(self, dim: int | None) -> int:
        count = len(self.places)
        return require_dim(self, dim, count, "the number of outliers; leave some of them out")

    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        rest = self._dim(dim) - len(self.places)
        bulk = self.bulk.sample(rest, rng) if rest else np.empty(0)
        return np.concatenate([bulk, self.places])

    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        dim = self._dim(dim)
        rest = dim - len(self.places)
        bulk = [scaled(piece, rest / dim) for piece in self.bulk.pieces(rest)] if rest else []
        return [*bulk, *(Atom(place, 1.0 / dim) for place in self.places)]


@dataclass(frozen=True, repr=False)
class Indefinite(Spectrum):
    """A given number of eigenvalues below 0: a saddle, or with all of them below 0 a hill.

    The magnitudes are those of another spectrum; which of them get the minus sign is drawn,
    any choice being as likely. The index of a saddle is the number of its negative
    eigenvalues.

    Parameters
    ----------
    negative : int, default 1
        How many, >= 0 and at most the number of eigenvalues.
    magnitudes : Spectrum, default log_uniform(condition=1e4)
        Of the absolute values; its ``low`` is >= 0.

    Notes
    -----
    Negative eigenvalues weigh 1/dim each, so expectations need ``dim``. ``condition`` is that
    of the magnitudes.

    Examples
    --------
    >>> import fastopt as fo
    >>> spectrum = fo.spectra.indefinite(negative=2)
    >>> int((spectrum.sample(10, fo.spectra.member_rng(seed=0, i=0)) < 0).sum())
    2
    """

    name = "indefinite"

    negative: int = 1
    magnitudes: Spectrum = LogUniform(condition=1e4)  # noqa: RUF009 (it is immutable)

    def __post_init__(self) -> None:
        object.__setattr__(self, "negative", whole(self.name, "negative", self.negative, 0))
        _check_inner(self.name, "magnitudes", self.magnitudes)
        if self.magnitudes.low < 0:
            raise ValueError(
                f"magnitudes={self.magnitudes!r}: must have low >= 0, not {self.magnitudes.low:g} "
                "(indefinite); shift it, or use it by itself"
            )

    @property
    def low(self) -> float:
        return -self.magnitudes.high if self.negative else self.magnitudes.low

    @property
    def high(self) -> float:
        return self.magnitudes.high

    @property
    def semidefinite(self) -> bool:
        return self.negative == 0 and self.magnitudes.semidefinite

    @property
    def condition(self) -> float:
        return self.magnitudes.condition

    def _dim(self, dim: int | None) -> int:
        return require_dim(self, dim, self.negative, "the number of negative ones; ask for fewer")

    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        drawn = self.magnitudes.sample(self._dim(dim), rng)
        chosen = rng.permutation(dim)[: self.negative]
        drawn[chosen] *= -1.0
        return drawn

    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        dim = self._dim(dim)
        share = self.negative / dim
        pieces = self.magnitudes.pieces(dim)
        signed = [scaled(piece, 1.0 - share) for piece in pieces]
        signed += [mirrored(scaled(piece, share)) for piece in pieces]
        return [piece for piece in signed if piece.weight > 0]
