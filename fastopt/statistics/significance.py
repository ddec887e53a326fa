"""p-values: of fair coins and of ranks, adjusted for their number, and in words."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import Floats

# Beyond so many pairs the normal distribution is closer than anyone can tell.
_EXACT_PAIRS = 50


def holm(p_values: ArrayLike) -> Floats:
    """Adjust p-values for their number, by the method of Holm (1979) [1]_.

    If those of at most 5% are called significant, the probability to call any so that is not
    is at most 5%, however they depend on each other.

    Parameters
    ----------
    p_values : array_like
        From 0 to 1.

    Returns
    -------
    numpy.ndarray of their shape

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J.
       Stat. 6, 65-70, 1979.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.statistics.holm([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p = np.asarray(p_values, np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p_values={p_values!r}: must be from 0 to 1 (holm)")
    order = np.argsort(p, axis=None)
    raised = np.maximum.accumulate(p.ravel()[order] * np.arange(p.size, 0, -1))
    adjusted = np.empty(p.size)
    adjusted[order] = np.minimum(raised, 1.0)
    return adjusted.reshape(p.shape)


def fair_coin(k: int, m: int) -> float:
    """Two-sided p-value of *k* heads and *m* tails of a fair coin."""
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(k, m), k + m, 0.5))) if k + m else 1.0


def signed_rank(above: NDArray[np.int64], below: NDArray[np.int64]) -> float:
    """Two-sided p-value of Wilcoxon's test.

    Parameters
    ----------
    above, below : numpy.ndarray, shape (k,), int64
        How many differences there are of each size, ascending, to either side.
    """
    count = above + below
    # Twice the mean rank of those of one size: whole numbers.
    ranks = 2 * np.cumsum(count) - count + 1
    n, total, found = int(count.sum()), int(count @ ranks), int(above @ ranks)
    if n == 0:
        return 1.0
    if n <= _EXACT_PAIRS:
        tail = min(found, total - found)
        each = np.repeat(ranks, count)
        return min(1.0, 2 * float(_subset_sums(each, total)[: tail + 1].sum()))
    # Each rank counts with probability 1/2: ties are in these squares already.
    deviation = math.sqrt(float(count @ ranks.astype(np.float64) ** 2)) / 2
    return math.erfc(abs(found - total / 2) / deviation / math.sqrt(2))


def _subset_sums(ranks: NDArray[np.int64], total: int) -> Floats:
    """The probability of each sum of ranks of which each is taken with probability 1/2."""
    chance = np.zeros(total + 1)
    chance[0] = 1.0
    for rank in ranks:
        moved = np.zeros_like(chance)
        moved[rank:] = chance[: total + 1 - rank]
        chance = (chance + moved) / 2
    return chance
