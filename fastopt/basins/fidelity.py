"""Basin fidelity: does a rule end where gradient flow from the same start ends?"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastopt.basins.attractors import DIVERGED, Attractors, pieces, same_regions
from fastopt.basins.estimate import checked_confidence, wilson


class Fidelity(float):
    """The share of starts from which two maps end at the same attractor: a float.

    Parameters
    ----------
    value, low, high : float
        The share, with Wilson's interval. Runs that diverge in both agree; those that end
        nowhere agree with none.
    by_basin : numpy.ndarray, shape (k,)
        Of the starts that end at each attractor of the reference, the share that agrees.
    same : numpy.ndarray of bool
        Whether each start agrees, in the shape of the labels.
    reference : Attractors
        The attractors of the reference.
    """

    low: float
    high: float
    by_basin: NDArray[np.float64]
    same: NDArray[np.bool_]
    reference: Attractors

    def __new__(
        cls,
        value: float,
        low: float,
        high: float,
        by_basin: NDArray[np.float64],
        same: NDArray[np.bool_],
        reference: Attractors,
    ) -> Self:
        """As said above."""
        self = super().__new__(cls, value)
        self.low, self.high = low, high
        self.by_basin, self.same, self.reference = by_basin, same, reference
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.value, self.low, self.high, self.by_basin, self.same, self.reference

    @property
    def value(self) -> float:
        """The share alone."""
        return float(self)

    def __repr__(self) -> str:
        return f"Fidelity(value={self.value!r}, low={self.low!r}, high={self.high!r})"

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


def compare(
    labels: NDArray[np.int32],
    found: Attractors,
    reference: NDArray[np.int32],
    reference_found: Attractors,
    tolerance: float,
    confidence: float = 0.95,
) -> Fidelity:
    """How far the labels of the same starts agree."""
    confidence = checked_confidence(confidence)
    # By label, so that diverged and unresolved stand at the end.
    translated = np.concatenate([match(found, reference_found, tolerance), [-3, DIVERGED]])
    k, same = len(reference_found), np.empty(labels.shape, np.bool_)
    sizes, agreeing = np.zeros((2, k), np.int64)
    for own, theirs, alike in pieces(labels, reference, same):
        alike[:] = translated[own] == theirs
        sizes += np.bincount(theirs[theirs >= 0], minlength=k)
        agreeing += np.bincount(theirs[alike & (theirs >= 0)], minlength=k)
    count = np.array([same.sum()])
    low, high = wilson(count, same.size, confidence)
    by_basin = np.divide(agreeing, sizes, out=np.full(k, np.nan), where=sizes > 0)
    return Fidelity(
        float(count[0] / same.size), float(low[0]), float(high[0]), by_basin, same, reference_found
    )


def match(found: Attractors, others: Attractors, tolerance: float) -> NDArray[np.int64]:
    """For each attractor the number of the same one among *others*; -4 where there is none.

    The same are those that the surface knows by the same name; flat regions that overlap; and
    else the nearest one of the same period within twice the tolerance.
    """
    from scipy.spatial import cKDTree

    numbers = np.full(len(found), -4)
    for period in np.unique(found.periods):
        mine, theirs = (np.flatnonzero(a.periods == period) for a in (found, others))
        if len(theirs):
            apart, nearest = cKDTree(others.points[theirs]).query(found.points[mine], p=np.inf)
            near = apart <= 2 * tolerance
            numbers[mine[near]] = theirs[nearest[near]]
    regions = same_regions(found, others)
    numbers[regions >= 0] = regions[regions >= 0]
    names = {name: k for k, name in enumerate(others.matched) if name}
    for k, name in enumerate(found.matched):
        if name in names:
            numbers[k] = names[name]
    return numbers
