"""The statistics of a cell, from its counts: the one place that asks for them."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Whole = NDArray[np.int64]


class Counts(NamedTuple):
    """How runs ended, by whether they converged or, if a target is asked for, met that.

    Attributes
    ----------
    steps : numpy.ndarray of int64, shape (m,)
        Distinct steps, ascending.
    converged, diverged, censored, stopped : numpy.ndarray of int64, shape (m,)
        How many runs did so after that many steps: met the criterion or the target; diverged;
        ran out of steps; or met the criterion of ``stop=`` without ever meeting the target.
    """

    steps: Whole
    converged: Whole
    diverged: Whole
    censored: Whole
    stopped: Whole

    @property
    def runs(self) -> int:
        """The number of runs."""
        return sum(int(counts.sum()) for counts in self[1:])


def success_rate(counts: Counts) -> tuple[float, float, float]:
    """The share of runs that converged, and its interval: Wilson's of 95%."""
    from scipy.stats import binomtest

    found = binomtest(int(counts.converged.sum()), counts.runs)
    low, high = found.proportion_ci(method="wilson")
    return float(found.statistic), float(low), float(high)


def median_steps(counts: Counts) -> float:
    """The least number of steps within which half of the runs converged; inf if fewer did."""
    sums = np.cumsum(counts.converged)
    place = int(np.searchsorted(2 * sums, max(counts.runs, 1)))
    return float(counts.steps[place]) if place < len(sums) else math.inf


def ert(counts: Counts) -> float:
    """Expected running time: all steps taken, over the number of runs that converged."""
    taken = sum(int(step) * sum(map(int, each)) for step, *each in zip(*counts, strict=True))
    converged = int(counts.converged.sum())
    return taken / converged if converged else math.inf
