"""Spectra given by a formula: of a density, of clusters, or of each eigenvalue."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fastopt.checks import Floats
from fastopt.spectra.base import Spectrum, check_real, require_dim
from fastopt.spectra.quadrature import Atom, Band

_SCALE = "it is the greatest eigenvalue, such as 1.0"
_CONDITION = "it is the greatest eigenvalue over the least, 1 where all are the same"


def _flat(low: float, high: float, weight: float) -> Atom | Band:
    if low == high:
        return Atom(low, weight)
    return Band(low, high, weight, lambda x: np.full(x.shape, 1.0 / (high - low)))


@dataclass(frozen=True, repr=False)
class Uniform(Spectrum):
    """Eigenvalues drawn independently, uniform between two ends.

    .. math:: \\rho(\\lambda) = \\frac{1}{h - l}, \\quad l \\le \\lambda \\le h

    The uniform model of Pedregosa and Scieur (2020) [1]_.

    Parameters
    ----------
    low : float, default 0.0
        l >= 0, in units of f/x².
    high : float, default 1.0
        h >= l, in units of f/x².

    Notes
    -----
    ``condition`` is h/l; that of a sample is less.

    References
    ----------
    .. [1] F. Pedregosa, D. Scieur, "Average-case acceleration through spectral density
       estimation", ICML 2020, arXiv:2002.04756.

    Examples
    --------
    >>> import fastopt as fo
    >>> spectrum = fo.spectra.uniform(low=1.0, high=3.0)
    >>> spectrum.condition, float(spectrum.density(2.0))
    (3.0, 0.5)
    """

    name = "uniform"

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        low = check_real(self, "low", 0.0, "for eigenvalues below 0 use fo.spectra.indefinite")
        check_real(self, "high", low, f"low={low:g} must not be above it")

    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        return rng.uniform(self.low, self.high, dim)

    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        return [_flat(self.low, self.high, 1.0)]


@dataclass(frozen=True, repr=False)
class LogUniform(Spectrum):
    """Eigenvalues drawn independently, whose logarithms are uniform.

    .. math:: \\rho(\\lambda) = \\frac{1}{\\lambda \\ln \\kappa}, \\quad
        h/\\kappa \\le \\lambda \\le h

    The reciprocal distribution [1]_: as many eigenvalues in each decade.

    Parameters
    ----------
    condition : float, default 1e4
        kappa >= 1, without unit: the ratio of the ends; that of a sample is less.
    high : float, default 1.0
        h > 0, in units of f/x².

    References
    ----------
    .. [1] R. W. Hamming, "On the distribution of numbers", Bell Syst. Tech. J. 49(8),
       1609-1625, 1970: where the reciprocal distribution has its name.

    Examples
    --------
    >>> import fastopt as fo
    >>> spectrum = fo.spectra.log_uniform(condition=1e4)
    >>> spectrum.sample(3, fo.spectra.member_rng(seed=0, i=0)).shape
    (3,)
    >>> spectrum.low, spectrum.high
    (0.0001, 1.0)
    """

    name = "log_uniform"

    condition: float = 1e4
    high: float = 1.0

    def __post_init__(self) -> None:
        check_real(self, "condition", 1.0, _CONDITION)
        check_real(self, "high", 0.0, _SCALE, inclusive=False)

    @property
    def low(self) -> float:
        return self.high / self.condition

    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        drawn = self.high * self.condition ** -rng.uniform(size=dim)
        return np.clip(drawn, self.low, self.high)  # the power may be rounded beyond the end

    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        if self.condition == 1.0:
            return [Atom(self.high, 1.0)]
        share = 1.0 / math.log(self.condition)
        return [Band(self.low, self.high, 1.0, lambda x: share / x)]


@dataclass(frozen=True, repr=False)
class Exponential(Spectrum):
    """Eigenvalues drawn independently from an exponential distribution.

    .. math:: \\rho(\\lambda) = e^{-\\lambda/s} / s, \\quad \\lambda \\ge 0

    The exponential model of Pedregosa and Scieur (2020) [1]_: the greatest eigenvalue grows
    with their number, as s ln(dim), so that no learning rate is stable for all.

    Parameters
    ----------
    scale : float, default 1.0
        s > 0, the mean, in units of f/x².

    References
    ----------
    .. [1] F. Pedregosa, D. Scieur, "Average-case acceleration through spectral density
       estimation", ICML 2020, arXiv:2002.04756.

    Examples
    --------
    >>> import fastopt as fo
    >>> round(fo.spectra.exponential(scale=2.0).moment(2), 9)
    8.0
    """

    name = "exponential"

    scale: float = 1.0

    def __post_init__(self) -> None:
        check_real(self, "scale", 0.0, "it is the mean eigenvalue, such as 1.0", inclusive=False)

    @property
    def low(self) -> float:
        return 0.0

    @property
    def high(self) -> float:
        return math.inf

    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        return rng.exponential(self.scale, dim)

    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        scale = self.scale
        # Beyond 750 times its mean the density is 0 in double precision.
        return [Band(0.0, 750.0 * scale, 1.0, lambda x: np.exp(-x / scale) / scale)]


@dataclass(frozen=True, repr=False)
class TwoCluster(Spectrum):
    """Eigenvalues in two clusters, far apart.

    A share s of them, floor(s dim + 1/2), lies in [(1 - w) h, h], the others in [l, (1 + w) l]
    with l = h/kappa; in both drawn independently and uniform. With w = 0 there is nothing
    drawn, and each sample the same. Where clusters are tight, the conjugate gradient method
    needs two steps whatever the condition number [1]_, a constant momentum many.

    Parameters
    ----------
    condition : float, default 1e4
        kappa >= 1, without unit: the ratio of the ends.
    share : float, default 0.5
        s in [0, 1], of the upper cluster.
    width : float, default 0.0
        w in [0, 1), of each cluster, relative; small enough that they don't overlap.
    high : float, default 1.0
        h > 0, in units of f/x².

    References
    ----------
    .. [1] J. Nocedal, S. J. Wright, "Numerical Optimization", 2nd ed., Springer, 2006,
       section 5.1.

    Examples
    --------
    >>> import fastopt as fo
    >>> spectrum = fo.spectra.two_cluster(condition=100.0, share=0.25)
    >>> spectrum.sample(4, fo.spectra.member_rng(seed=0, i=0))
    array([0.01, 0.01, 0.01, 1.  ])
    """

    name = "two_cluster"

    condition: float = 1e4
    share: float = 0.5
    width: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        condition = check_real(self, "condition", 1.0, _CONDITION)
        check_real(self, "high", 0.0, _SCALE, inclusive=False)
        share = check_real(self, "share", 0.0, "it is the share of the upper cluster")
        if share > 1:
            raise ValueError(f"share={share}: must be <= 1 (two_cluster); 0.5 is half of them")
        width = check_real(self, "width", 0.0, "0 makes each cluster a point")
        most = (condition - 1.0) / (condition + 1.0)  # where (1 - w) kappa is 1 + w
        if width > most:
            raise ValueError(
                f"width={width}: must be <= (condition - 1)/(condition + 1) = {most:g} "
                "(two_cluster), or the clusters overlap; use fo.spectra.uniform for one"
            )

    @property
    def low(self) -> float:
        return self.high / self.condition

    def _ends(self) -> tuple[tuple[float, float], tuple[float, float]]:
        lower = (self.low, self.low * (1.0 + self.width))
        return lower, (self.high * (1.0 - self.width), self.high)

    def _upper(self, dim: int) -> int:
        return math.floor(self.share * dim + 0.5)

    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        lower, upper = self._ends()
        count = self._upper(dim)
        return np.concatenate([rng.uniform(*lower, dim - count), rng.uniform(*upper, count)])

    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        share = self.share if dim is None else self._upper(require_dim(self, dim)) / dim
        lower, upper = self._ends()
        both = [_flat(*lower, 1.0 - share), _flat(*upper, share)]
        return [piece for piece in both if piece.weight > 0]


@dataclass(frozen=True, repr=False)
class PowerLaw(Spectrum):
    """Eigenvalues that fall as a power of their number; nothing is drawn.

    .. math:: \\lambda_i = h \\, i^{-\\alpha}, \\quad i = 1, \\ldots, d

    Each sample is the same. Spectra of kernels and of data fall so: the capacity condition of
    Caponnetto and De Vito (2007) [1]_.

    Parameters
    ----------
    alpha : float, default 1.0
        >= 0, without unit.
    high : float, default 1.0
        h > 0, in units of f/x².

    Notes
    -----
    The condition number of d eigenvalues is d**alpha, so ``condition`` is inf unless alpha is
    0. There is no limit of many eigenvalues but 0: expectations need ``dim``.

    References
    ----------
    .. [1] A. Caponnetto, E. De Vito, "Optimal rates for the regularized least-squares
       algorithm", Found. Comput. Math. 7(3), 331-368, 2007.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.spectra.power_law(alpha=1.0).sample(4, fo.spectra.member_rng(seed=0, i=0))
    array([0.25      , 0.33333333, 0.5       , 1.        ])
    """

    name = "power_law"

    alpha: float = 1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        check_real(self, "alpha", 0.0, "eigenvalues fall as i**-alpha")
        check_real(self, "high", 0.0, _SCALE, inclusive=False)

    @property
    def low(self) -> float:
        return 0.0 if self.alpha else self.high

    def _eigenvalues(self, dim: int) -> Floats:
        return self.high * np.arange(1.0, dim + 1.0) ** -self.alpha

    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        return self._eigenvalues(dim)

    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        dim = require_dim(self, dim)
        return [Atom(float(place), 1.0 / dim) for place in self._eigenvalues(dim)]
