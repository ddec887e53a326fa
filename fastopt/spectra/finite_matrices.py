"""The exact mean density of the eigenvalues of real random matrices of a finite size.

The eigenvalues of a real matrix X of N rows or columns of the orthogonal ensembles have the
joint density

.. math:: \\prod_i w(t_i) \\prod_{i<j} |q(t_i) - q(t_j)|

in a variable t: of the Gaussian ensemble t is the eigenvalue, q(t) = t and w = exp(-t²/2), and of
X'X it is t², q(t) = t² and w = t^m exp(-t²/2), where X has m more rows than columns. By de
Bruijn's formula the mean of a product over the eigenvalues is a ratio of Pfaffians, and its
derivative the density, Tracy and Widom (1998) [1]_: with N functions phi_k = w times polynomials
of q, E phi(t) the integral of sgn(s - t) phi(s), and the antisymmetric matrix A of the integrals
of phi_j E phi_k,

.. math:: \\rho(t) = \\sum_{jk} \\phi_j(t) (A^{-1})_{kj} E\\phi_k(t)

of integral N; for an odd N, A has a border of the integrals of phi_j, and E phi_k one more row of
ones. With orthonormal phi_k, A is so well conditioned that double precision suffices.

.. [1] C. A. Tracy, H. Widom, "Correlation functions, cluster functions, and spacing
   distributions for random matrices", J. Stat. Phys. 92, 809-835, 1998, arXiv:solv-int/9804004.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fastopt.checks import Floats

LARGEST = 512
"""Beyond so many eigenvalues the work, which grows with their cube, isn't worth it."""

_NODES = 24
# Where the density is below so much of its greatest value, rounding is all there is of it.
_LEAST = 1e-13


@dataclass(frozen=True, eq=False)
class Density:
    """A density from *low* to *high* that integrates to 1, by polynomials in panels."""

    low: float
    high: float
    values: Floats
    """At the nodes of each panel, shape (panels, nodes)."""

    def __call__(self, t: Floats) -> Floats:
        count = len(self.values)
        place = (t - self.low) * (count / (self.high - self.low))
        panel = np.clip(place.astype(np.int64), 0, count - 1)
        return _interpolated(self.values[panel], 2.0 * (place - panel) - 1.0)


@lru_cache(16)
def goe_density(size: int) -> Density:
    """Of a matrix of the Gaussian orthogonal ensemble, with variance 1 on the diagonal."""
    reach = math.sqrt(2.0 * size) + 8.0

    def terms(k: int) -> tuple[float, float]:
        return 0.0, math.sqrt(0.5 * k)

    def first(t: Floats) -> Floats:
        return -0.5 * t * t - 0.25 * math.log(math.pi)

    return _density(size, -reach, reach, lambda t: t, terms, first)


@lru_cache(16)
def singular_value_density(few: int, many: int) -> Density:
    """Of the singular values t of a *many* x *few* matrix of standard normal numbers."""
    more = many - few
    alpha = more - 0.5
    low = max(math.sqrt(many) - math.sqrt(few) - 8.0, 0.0)
    high = math.sqrt(many) + math.sqrt(few) + 8.0

    def terms(k: int) -> tuple[float, float]:
        # Of the polynomials of Laguerre with this alpha, made to have positive leading terms.
        return 2.0 * k + alpha + 1.0, math.sqrt(k * (k + alpha))

    def first(t: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            power = more * np.log(t) if more else np.zeros(t.shape)
        return power - 0.5 * t * t + 0.5 * (math.log(2.0) - math.lgamma(alpha + 1.0))

    return _density(few, low, high, lambda t: t * t, terms, first)


def _density(
    size: int,
    low: float,
    high: float,
    variable: Callable[[Floats], Floats],
    terms: Callable[[int], tuple[float, float]],
    first: Callable[[Floats], Floats],
) -> Density:
    """That of *size* eigenvalues, of which at most one in 10^14 is beyond the ends.

    *first* gives the logarithm of phi_0, and *terms* a_k and b_k of the recursion
    b_(k+1) phi_(k+1) = (q - a_k) phi_k - b_k phi_(k-1).
    """
    # Each has up to size waves between the ends; a panel's nodes resolve two.
    panels = size + 16
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = 0.5 * (high - low) / panels
    t = (low + half * (2.0 * np.arange(panels)[:, None] + 1.0 + nodes)).ravel()
    phi = _orthonormal(size, variable(t), terms, first(t))
    weight = np.tile(half * weights, panels)
    ahead = _integrals_ahead(phi.reshape(size, panels, _NODES), nodes, half * weights, half)
    matrix = (phi * weight) @ ahead.T
    matrix = 0.5 * (matrix - matrix.T)
    if size % 2:
        border = phi @ weight
        matrix = np.block([[matrix, border[:, None]], [-border, np.zeros((1, 1))]])
        ahead = np.concatenate([ahead, np.ones((1, t.size))])
    found = np.sum(phi * np.linalg.solve(matrix.T, ahead)[:size], axis=0)
    found[found < _LEAST * found.max()] = 0.0
    return Density(low, high, (found / (found @ weight)).reshape(panels, _NODES))


def _orthonormal(
    size: int, q: Floats, terms: Callable[[int], tuple[float, float]], first: Floats
) -> Floats:
    """phi_0 ... phi_(size - 1) at the nodes; scaled on the way, for phi_0 may be below 1e-308."""
    phi = np.empty((size, q.size))
    scale, here, before = first.copy(), np.ones(q.size), np.zeros(q.size)
    for k in range(size):
        phi[k] = here * np.exp(scale)
        (centre, last), (_, coming) = terms(k), terms(k + 1)
        here, before = ((q - centre) * here - last * before) / coming, here
        size_of = np.maximum(np.abs(here), np.abs(before))
        here, before, scale = here / size_of, before / size_of, scale + np.log(size_of)
    return phi


def _integrals_ahead(phi: Floats, nodes: Floats, weights: Floats, half: float) -> Floats:
    """The integral of sgn(s - t) phi(s) over s, at the nodes t; shape (functions, nodes of all)."""
    # From a panel's lower end to each node, of the polynomial through the nodes.
    legendre = np.polynomial.legendre
    basis = legendre.legvander(nodes, len(nodes) - 1)
    powers = np.eye(len(nodes))
    integrals = np.array([legendre.legval(nodes, legendre.legint(p, lbnd=-1)) for p in powers])
    within = half * np.linalg.solve(basis.T, integrals).T
    whole = phi @ weights
    below = np.cumsum(whole, axis=1) - whole
    behind = below[:, :, None] + phi @ within.T
    return (whole.sum(axis=1)[:, None, None] - 2.0 * behind).reshape(len(phi), -1)


def _interpolated(values: Floats, z: Floats) -> Floats:
    """The polynomials through *values* (n, nodes) at the places z (n,) of [-1, 1]."""
    nodes = np.polynomial.legendre.leggauss(_NODES)[0]
    basis = np.polynomial.legendre.legvander(nodes, _NODES - 1)
    coefficients = np.linalg.solve(basis, values.T)
    return np.einsum("kn,nk->n", coefficients, np.polynomial.legendre.legvander(z, _NODES - 1))
