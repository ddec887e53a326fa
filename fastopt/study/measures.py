"""The statistics of a cell, from its counts: the one place that asks for them."""

from __future__ import annotations

from fastopt.statistics import Counts, ert, hitting_time, success_rate

STATISTICS = (
    *("success_rate", "success_low", "success_high"),
    *("median_steps", "median_low", "median_high", "ert"),
)
"""What is computed of each cell, and of each of its targets."""


def statistics(counts: Counts) -> dict[str, float]:
    """The statistics of some runs by name; nan if there are none.

    The share that converged and the median of the steps to convergence (inf where fewer than
    half converged), each with its interval of 95%, and the expected running time in steps.
    """
    rate, median = success_rate(counts), hitting_time(counts).median
    shares, steps = (rate.value, rate.low, rate.high), (median.value, median.low, median.high)
    # One resample: nobody asks for the interval.
    found = (*shares, *steps, ert(counts, resamples=1).value)
    return dict(zip(STATISTICS, found, strict=True))
