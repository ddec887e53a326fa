"""How many runs converge, and what a success costs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from fastopt.checks import whole
from fastopt.runs import Runs
from fastopt.statistics.cells import Cells, as_counts
from fastopt.statistics.counts import Counts
from fastopt.statistics.estimates import Estimate, Share, normal_quantile, wilson

# Of the bootstrap: so many numbers at a time, which is 8 MB.
_AT_ONCE = 1 << 20


def success_rate(
    runs: Runs | Counts | Cells,
    *,
    event: str = "converged",
    target: int | None = None,
    confidence: float = 0.95,
) -> Share:
    """The share of runs that converged, with Wilson's interval [1]_.

    Parameters
    ----------
    runs : Runs, Counts or Result
        The runs, those of a study's result of one cell; nan, with an
        interval from 0 to 1, if there are none.
    event : {"converged", "diverged", "censored"}, default "converged"
        What to count: converged, diverged, or ran out of steps.
    target : int, optional
        Index of one of ``runs.targets``: count what reached that instead of ``stop=``.
    confidence : float, default 0.95
        Of the interval, between 0 and 1.

    Returns
    -------
    Share
        With ``.value``, ``.low`` and ``.high``, each from 0 to 1.

    References
    ----------
    .. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical
       inference", J. Am. Stat. Assoc. 22, 209-212, 1927.

    Examples
    --------
    >>> import fastopt as fo
    >>> counts = fo.statistics.Counts.from_steps(converged=[3] * 9, censored=[100])
    >>> fo.statistics.success_rate(counts)
    90.0% [95%: 59.6% to 98.2%]
    """
    counts = as_counts("success_rate", runs, target)
    z = normal_quantile("success_rate", confidence)
    if event not in ("converged", "diverged", "censored"):
        raise ValueError(
            f"event={event!r}: must be 'converged', 'diverged' or 'censored' (success_rate)"
        )
    number = int(getattr(counts, event).sum())
    value = number / counts.runs if counts.runs else math.nan
    return Share(value, *wilson(number, counts.runs, z), confidence)


@dataclass(frozen=True, repr=False)
class Ert(Estimate):
    """An expected running time in steps, inf without a success; see :class:`Estimate`.

    Attributes
    ----------
    successes : int
        The number of runs that it is based on.
    """

    successes: int = 0

    def text(self, number: float) -> str:
        return format(number, ",.0f" if number >= 100 else ",.3g")


def ert(
    runs: Runs | Counts | Cells,
    *,
    target: int | None = None,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Ert:
    """The expected running time: all steps that were taken, over the number of successes.

    That is the mean number of steps until the first success where a run that fails is
    followed by another from a new start, Hansen et al. (2016) [1]_, section "Averaging
    Runtime"; Auger and Hansen (2005) [2]_. Steps that ended in divergence count as well.

    Parameters
    ----------
    runs : Runs, Counts or Result
        The runs, those of a study's result of one cell; nan if there are none.
    target : int, optional
        Index of one of ``runs.targets``, see :func:`success_rate`.
    confidence : float, default 0.95
        Of the interval, between 0 and 1.
    resamples : int, default 1000
        How many times the runs are drawn anew, with replacement, for the interval.
    seed : int, default 0
        Of these draws; the same gives the same interval.

    Returns
    -------
    Ert
        With ``.value``, ``.low`` and ``.high`` in steps, and ``.successes``.

    Notes
    -----
    The interval is that of the percentile bootstrap [3]_. It draws the counts at each step from
    their multinomial distribution, which is that of drawing runs one by one; so it takes a
    second for 10,000 distinct steps and any number of runs.

    Without a success the value and the upper end are inf. The lower end is then the mean
    number of steps of a run over the upper end of Wilson's interval of the success rate.

    References
    ----------
    .. [1] N. Hansen, A. Auger, D. Brockhoff, D. Tušar, T. Tušar, "COCO: Performance
       assessment", arXiv:1605.03560, 2016.
    .. [2] A. Auger, N. Hansen, "Performance evaluation of an advanced local search
       evolutionary algorithm", IEEE CEC 2005, 1777-1784.
    .. [3] B. Efron, R. J. Tibshirani, "An introduction to the bootstrap", Chapman & Hall,
       1993, chapter 13.

    Examples
    --------
    >>> import fastopt as fo
    >>> counts = fo.statistics.Counts.from_steps(converged=[30, 50, 40], censored=[100])
    >>> fo.statistics.ert(counts).value
    73.33333333333333
    """
    counts = as_counts("ert", runs, target)
    z = normal_quantile("ert", confidence)
    resamples = whole("ert", "resamples", resamples, 1)
    seed = whole("ert", "seed", seed, 0)
    if not counts.runs:
        return Ert(math.nan, 0.0, math.inf, confidence)
    if not counts.successes:
        low = counts.total_steps / counts.runs / wilson(0, counts.runs, z)[1]
        return Ert(math.inf, low, math.inf, confidence)
    tail = (1 - confidence) / 2
    # Of numbers that are drawn, some may be inf, between which there is nothing to interpolate.
    low, high = np.quantile(
        _resampled(counts, resamples, seed), [tail, 1 - tail], method="inverted_cdf"
    )
    value = counts.total_steps / counts.successes
    return Ert(value, float(low), float(high), confidence, counts.successes)


def _resampled(counts: Counts, resamples: int, seed: int) -> np.ndarray:
    """Running times of as many runs, drawn anew."""
    failed = counts.diverged + counts.censored + counts.stopped
    cells = np.concatenate([counts.converged, failed])
    steps = np.concatenate([counts.steps, counts.steps]).astype(np.float64)
    occupied = cells > 0
    good = occupied[: counts.steps.size].sum()
    cells, steps = cells[occupied], steps[occupied]
    rng = np.random.default_rng(seed)
    values = np.empty(resamples)
    rows = max(_AT_ONCE // cells.size, 1)
    for begin in range(0, resamples, rows):
        size = min(rows, resamples - begin)
        drawn = rng.multinomial(counts.runs, cells / counts.runs, size)
        with np.errstate(divide="ignore"):
            values[begin : begin + size] = (drawn @ steps) / drawn[:, :good].sum(axis=1)
    return values
