"""Spectra of random matrices: of a finite size, and their limit laws.

The eigenvalues of a matrix repel each other; those of a law are drawn independently. The
matrices are not made: tridiagonal ones with the same eigenvalues in distribution cost
O(dim**2) instead of O(dim**3), Dumitriu and Edelman (2002) [1]_.

.. [1] I. Dumitriu, A. Edelman, "Matrix models for beta ensembles", J. Math. Phys. 43(11),
   5830-5847, 2002, arXiv:math-ph/0206043.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fastopt.checks import Floats, real, whole
from fastopt.spectra.base import Spectrum, check_real, require_dim
from fastopt.spectra.finite_matrices import LARGEST, goe_density, singular_value_density
from fastopt.spectra.quadrature import Atom, Band

_RATIO = "it is the number of columns over that of rows, such as 0.5"
_VARIANCE = "it is that of the entries of the matrix, such as 1.0"


def _law(ratio: float, variance: float) -> list[Atom | Band]:
    """The law of Marchenko and Pastur."""
    low, high = (variance * (1.0 + sign * math.sqrt(ratio)) ** 2 for sign in (-1.0, 1.0))
    weight = min(1.0, 1.0 / ratio)

    def density(x: Floats) -> Floats:
        scale = 2.0 * math.pi * variance * ratio * weight
        if low == 0.0:  # the root of x cancels
            with np.errstate(divide="ignore"):  # infinite at 0
                return np.sqrt(np.maximum(high - x, 0.0) / x) / scale
        return np.sqrt(np.maximum((high - x) * (x - low), 0.0)) / (scale * x)

    band = Band(low, high, weight, density)
    return [band] if ratio <= 1.0 else [Atom(0.0, 1.0 - weight), band]


class _Matrix(Spectrum):
    """Eigenvalues of one random matrix; up to :data:`LARGEST` of them have their own density."""

    @property
    def repels(self) -> bool:
        return True

    def is_limit(self, dim: int | None = None) -> bool:
        return dim is None or dim > LARGEST

    def nodes(self, degree: int, dim: int | None = None) -> tuple[Floats, Floats]:
        degree = whole(self.name, "degree", degree, 0)
        # The density of a finite matrix has a wave for each eigenvalue.
        return super().nodes(degree if self.is_limit(dim) else degree + 4 * (dim or 0), dim)


@dataclass(frozen=True, repr=False)
class _SampleCovariance(Spectrum):
    """What the law and the matrix have in common; the ends are those of the law."""

    ratio: float = 0.5
    variance: float = 1.0

    def __post_init__(self) -> None:
        check_real(self, "ratio", 0.0, _RATIO, inclusive=False)
        check_real(self, "variance", 0.0, _VARIANCE, inclusive=False)

    @property
    def low(self) -> float:
        return 0.0 if self.ratio >= 1.0 else self.variance * (1.0 - math.sqrt(self.ratio)) ** 2

    @property
    def high(self) -> float:
        return self.variance * (1.0 + math.sqrt(self.ratio)) ** 2


@dataclass(frozen=True, repr=False)
class MarchenkoPastur(_SampleCovariance):
    """Eigenvalues drawn independently from the law of Marchenko and Pastur (1967) [1]_.

    .. math:: \\rho(\\lambda) = \\frac{\\sqrt{(h - \\lambda)(\\lambda - l)}}
        {2 \\pi \\sigma^2 r \\lambda} + \\max(0, 1 - 1/r)\\, \\delta(\\lambda), \\quad
        l, h = \\sigma^2 (1 \\mp \\sqrt r)^2

    The limit of the spectrum of X'X/n, where X has n rows and d = r n columns of independent
    entries of variance sigma²: the Hessian of least squares with random data. With r > 1 a
    share of 1 - 1/r of the eigenvalues is 0.

    Parameters
    ----------
    ratio : float, default 0.5
        r > 0, columns over rows, without unit.
    variance : float, default 1.0
        sigma² > 0, the mean eigenvalue, in units of f/x².

    Notes
    -----
    Exact expectations for any number of eigenvalues, but without their repulsion, which
    ``wishart`` has. ``low`` is 0 for r >= 1 and ``condition`` then inf. Angles a, uniform on
    [0, pi], are kept with probability sin²(a)/(1 + q - 2 sqrt(q) cos a), q = min(r, 1/r),
    which is never above 1; then lambda = sigma² (1 + r - 2 sqrt(r) cos a).

    References
    ----------
    .. [1] V. A. Marchenko, L. A. Pastur, "Distribution of eigenvalues for some sets of random
       matrices", Math. USSR-Sb. 1(4), 457-483, 1967.

    Examples
    --------
    >>> import fastopt as fo
    >>> spectrum = fo.spectra.marchenko_pastur(ratio=4.0)
    >>> spectrum.atoms(), spectrum.high
    ([(0.0, 0.75)], 9.0)
    """

    name = "marchenko_pastur"

    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        share = min(1.0, 1.0 / self.ratio)
        positive = int(np.count_nonzero(rng.uniform(size=dim) < share))
        smaller = min(self.ratio, 1.0 / self.ratio)
        kept = np.empty(0)
        while kept.size < positive:
            angles, chances = rng.uniform(size=(2, 2 * dim + 8))
            cosines = np.cos(math.pi * angles)
            bound = 1.0 + smaller - 2.0 * math.sqrt(smaller) * cosines
            kept = np.concatenate([kept, cosines[chances * bound < 1.0 - cosines * cosines]])
        drawn = np.zeros(dim)
        root = math.sqrt(self.ratio)
        low = self.variance * (1.0 - root) ** 2
        # (1 - sqrt(r))² + 2 sqrt(r) (1 - cos a), so that nothing falls below the end.
        drawn[:positive] = low + 2.0 * self.variance * root * (1.0 - kept[:positive])
        return np.minimum(drawn, self.high)

    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        return _law(self.ratio, self.variance)


@dataclass(frozen=True, repr=False)
class Wishart(_SampleCovariance, _Matrix):
    """Eigenvalues of a random matrix X'X/n: the Hessian of least squares with normal data.

    X has dim columns and n = max(1, floor(dim/r + 1/2)) rows of independent normal entries of
    variance sigma². Drawn by the tridiagonal model of Dumitriu and Edelman (2002) [1]_.

    Parameters
    ----------
    ratio : float, default 0.5
        r > 0, columns over rows, without unit. With r > 1, dim - n eigenvalues are 0.
    variance : float, default 1.0
        sigma² > 0, the mean eigenvalue, in units of f/x².

    Notes
    -----
    With ``dim``, up to 512, density and expectations are those of the finite matrix, exact but
    for what lies where the density is below 1e-13 of its greatest value (the singular values').
    Without ``dim``, and beyond 512, they are those of the limit law, ``marchenko_pastur`` with
    ratio r or dim/n, which differ by O(1/dim) in the density and, after many steps of a rule, by
    more: eigenvalues of a finite matrix can fall outside ``low`` to ``high``, the ends of the law,
    by O(dim**(-2/3)).

    References
    ----------
    .. [1] I. Dumitriu, A. Edelman, "Matrix models for beta ensembles", J. Math. Phys. 43(11),
       5830-5847, 2002, arXiv:math-ph/0206043.

    Examples
    --------
    >>> import fastopt as fo
    >>> sample = fo.spectra.wishart(ratio=2.0).sample(10, fo.spectra.member_rng(seed=0, i=0))
    >>> int((sample == 0).sum())
    5
    """

    name = "wishart"

    def _rows(self, dim: int) -> int:
        return max(1, math.floor(dim / self.ratio + 0.5))

    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        rows = self._rows(dim)
        least, most = min(dim, rows), max(dim, rows)
        # The bidiagonal matrix's squares: chi-square numbers of falling degrees of freedom.
        diagonal = rng.chisquare(np.arange(most, most - least, -1))
        below = rng.chisquare(np.arange(least - 1, 0, -1))
        centre = diagonal.copy()
        centre[1:] += below
        values = _tridiagonal(centre, np.sqrt(diagonal[:-1] * below))
        drawn = np.zeros(dim)
        drawn[dim - least :] = np.maximum(values, 0.0)  # as in exact arithmetic
        return drawn * (self.variance / rows)

    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        if dim is None:
            return _law(self.ratio, self.variance)
        dim = require_dim(self, dim)
        rows = self._rows(dim)
        if self.is_limit(dim):
            return _law(dim / rows, self.variance)
        few = min(dim, rows)
        found, scale = singular_value_density(few, max(dim, rows)), self.variance / rows

        def density(x: Floats) -> Floats:
            roots = np.sqrt(x / scale)
            with np.errstate(divide="ignore"):  # infinite at 0, of a square matrix
                return found(roots) / (2.0 * scale * roots)

        band = Band(scale * found.low**2, scale * found.high**2, few / dim, density)
        return [band] if few == dim else [Atom(0.0, 1.0 - few / dim), band]


@dataclass(frozen=True, repr=False)
class ShiftedGOE(_Matrix):
    """Eigenvalues of a matrix of the Gaussian orthogonal ensemble, plus a constant.

    .. math:: \\rho(\\lambda) = \\frac{2}{\\pi R^2} \\sqrt{R^2 - (\\lambda - s)^2}

    in the limit: the semicircle of Wigner (1958) [1]_. The matrix is s I + R G / sqrt(2 dim),
    where G is symmetric and normal with variance 1 on the diagonal and 1/2 beside it. Drawn by
    the tridiagonal model of Dumitriu and Edelman (2002) [2]_.

    Parameters
    ----------
    shift : float, default 2.0
        s, of either sign, in units of f/x². With s < R there are eigenvalues below 0, and
        no minimum.
    radius : float, default 1.0
        R > 0, in units of f/x².

    Notes
    -----
    With ``dim``, up to 512, density and expectations are those of the finite matrix, exact but
    for what lies where the density is below 1e-13 of its greatest value. Without ``dim``, and
    beyond 512, they are those of the limit, which differ by O(1/dim); eigenvalues of a finite
    matrix can fall outside ``low`` = s - R to ``high`` = s + R by O(dim**(-2/3)).

    References
    ----------
    .. [1] E. P. Wigner, "On the distribution of the roots of certain symmetric matrices",
       Ann. Math. 67(2), 325-327, 1958.
    .. [2] I. Dumitriu, A. Edelman, "Matrix models for beta ensembles", J. Math. Phys. 43(11),
       5830-5847, 2002, arXiv:math-ph/0206043.

    Examples
    --------
    >>> import fastopt as fo
    >>> spectrum = fo.spectra.shifted_goe(shift=3.0, radius=2.0)
    >>> spectrum.low, spectrum.high, round(spectrum.moment(2), 9)
    (1.0, 5.0, 10.0)
    """

    name = "shifted_goe"

    shift: float = 2.0
    radius: float = 1.0

    def __post_init__(self) -> None:
        shift = real(self.name, "shift", self.shift, -math.inf)
        object.__setattr__(self, "shift", shift)
        remedy = "it is that of the semicircle, such as 1.0"
        check_real(self, "radius", 0.0, remedy, inclusive=False)

    @property
    def low(self) -> float:
        return self.shift - self.radius

    @property
    def high(self) -> float:
        return self.shift + self.radius

    @property
    def semidefinite(self) -> bool:
        return False  # those of a finite matrix can be below low

    def _draw(self, dim: int, rng: np.random.Generator) -> Floats:
        diagonal = rng.standard_normal(dim)
        beside = np.sqrt(0.5 * rng.chisquare(np.arange(dim - 1, 0, -1)))
        return self.shift + self.radius / math.sqrt(2.0 * dim) * _tridiagonal(diagonal, beside)

    def pieces(self, dim: int | None = None) -> list[Atom | Band]:
        if not self.is_limit(dim):
            return [self._finite(require_dim(self, dim))]
        scale = 2.0 / (math.pi * self.radius**2)
        low, high = self.low, self.high

        def density(x: Floats) -> Floats:
            return scale * np.sqrt(np.maximum((high - x) * (x - low), 0.0))

        return [Band(low, high, 1.0, density)]

    def _finite(self, dim: int) -> Band:
        found, scale = goe_density(dim), self.radius / math.sqrt(2.0 * dim)
        low, high = (self.shift + scale * end for end in (found.low, found.high))
        return Band(low, high, 1.0, lambda x: found((x - self.shift) / scale) / scale)


def _tridiagonal(diagonal: Floats, beside: Floats) -> Floats:
    from scipy.linalg import eigvalsh_tridiagonal  # slow to import, and few need it

    return eigvalsh_tridiagonal(diagonal, beside)
