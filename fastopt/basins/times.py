"""How long the runs of each basin take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt import memory
from fastopt.basins.attractors import UNRESOLVED, Attractors

_QUANTILES = (0.5, 0.9, 1.0)
# Of memory for each run: its place in the order, and its steps.
_BYTES = 28


@dataclass(frozen=True, repr=False, eq=False)
class Times:
    """Steps of the runs of each basin, every array indexed by label as in ``Fractions``.

    Attributes
    ----------
    counts : numpy.ndarray of int64, shape (k + 2,)
    mean, error : numpy.ndarray, shape (k + 2,)
        The mean number of steps and its standard error; nan where there are too few runs.
    median, p90, most : numpy.ndarray of int64, shape (k + 2,)
        By these steps half, 90% and all of the runs had ended; -1 where there is none.
    """

    counts: NDArray[np.int64]
    mean: NDArray[np.float64]
    error: NDArray[np.float64]
    median: NDArray[np.int64]
    p90: NDArray[np.int64]
    most: NDArray[np.int64]
    found: Attractors

    def __repr__(self) -> str:
        lines = [f"{'':3}  {'':33}{'runs':>11}{'mean':>9}{'median':>8}{'90%':>7}{'most':>7}"]
        names = [*self.found.names(), "unresolved", "diverged"]
        for k, name in enumerate(names):
            if self.counts[k]:
                row = f"{self.counts[k]:11,}{self.mean[k]:9.1f}{self.median[k]:8}"
                label = k if k < len(self.found) else k - len(names)
                lines.append(f"{label:3}  {name[:33]:33}{row}{self.p90[k]:7}{self.most[k]:7}")
        return "\n".join(lines)


def times(labels: NDArray[np.int32], steps: NDArray[Any], found: Attractors) -> Times:
    """The statistics of the steps, by label."""
    k = len(found)
    memory.require(
        _BYTES * labels.size, f"the times of {labels.size:,} runs", "measure a smaller map"
    )
    order = np.argsort(labels, axis=None, kind="stable")
    ordered = steps.ravel()[order].astype(np.int64)
    counts = np.bincount(labels.ravel() - UNRESOLVED, minlength=k + 2)
    ends = np.cumsum(counts)
    mean, error = np.full((2, k + 2), np.nan)
    quantiles = np.full((len(_QUANTILES), k + 2), -1)
    for place, (a, b) in enumerate(zip(ends - counts, ends, strict=True)):
        own, label = ordered[a:b], place + UNRESOLVED
        if b > a:
            mean[label] = own.mean()
            quantiles[:, label] = np.quantile(own, _QUANTILES, method="inverted_cdf")
        if b > a + 1:
            error[label] = own.std(ddof=1) / np.sqrt(b - a)
    counts = np.roll(counts, UNRESOLVED)
    median, p90, most = quantiles
    return Times(counts, mean, error, median, p90, most, found)
