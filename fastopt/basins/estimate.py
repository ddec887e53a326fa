"""Estimates with their errors, and how the errors of means over a map are found."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from fastopt.checks import real

# Parts of a map along each side, and all of them, for the jackknife.
_SIDE = 6
PARTS = _SIDE * _SIDE


class Estimate(float):
    """A number with its standard error: a float, with which to compare and to compute.

    Parameters
    ----------
    value, error : float
        The estimate and its standard error; nan where there is none.

    Examples
    --------
    >>> import fastopt as fo
    >>> entropy = fo.basins.Estimate(0.25, 0.01)
    >>> entropy > 0.1, entropy.error, print(entropy)
    0.25 ± 0.01
    (True, 0.01, None)
    """

    error: float

    def __new__(cls, value: float, error: float) -> Self:
        """As said above."""
        self = super().__new__(cls, value)
        self.error = float(error)
        return self

    def __getnewargs__(self) -> tuple[Any, ...]:
        return self.value, self.error

    @property
    def value(self) -> float:
        """The number alone."""
        return float(self)

    @property
    def low(self) -> float:
        """The lower end of the 95% interval."""
        return self.value - 1.959963984540054 * self.error

    @property
    def high(self) -> float:
        """The upper end of the 95% interval."""
        return self.value + 1.959963984540054 * self.error

    def __repr__(self) -> str:
        return f"{type(self).__name__}(value={self.value!r}, error={self.error!r})"

    def __str__(self) -> str:
        return f"{self.value:.4g} ± {self.error:.2g}"


def ratio(sums: NDArray[Any], weights: NDArray[Any]) -> Estimate:
    """The ratio of two totals over a map, (rows, columns) each, with its jackknife error.

    Neighbouring places of a map are alike, so that they say little more than one of them
    would. So not single ones are left out in turn, but whole parts of the map, 36 in all.
    """
    total, weight = sums.sum(), weights.sum()
    if not weight > 0:
        return Estimate(np.nan, np.nan)
    left, left_weight = total - by_part(sums), weight - by_part(weights)
    held = by_part(weights) > 0
    if held.sum() < 2 or not (left_weight[held] > 0).all():
        return Estimate(float(total / weight), np.nan)
    return Estimate(float(total / weight), jackknife(left[held] / left_weight[held]))


def jackknife(values: NDArray[np.float64]) -> float:
    """The standard error of an estimate, from its values with each of the parts left out."""
    count = len(values)
    return float(np.sqrt((count - 1) / count * ((values - values.mean()) ** 2).sum()))


def by_part(array: NDArray[Any]) -> NDArray[Any]:
    """The sums over the parts of a map, flat, with 0 for parts that it is too small for."""
    rows, columns = (np.arange(_SIDE + 1) * side // _SIDE for side in array.shape)
    parts = [
        array[a:b, c:d].sum()
        for a, b in pairwise(rows.tolist())
        for c, d in pairwise(columns.tolist())
    ]
    return np.array(parts)


def power_law(x: NDArray[np.int64], sums: NDArray[Any], weights: NDArray[Any]) -> Estimate:
    """The exponent of a power law: the slope of log y against log x, by least squares.

    Its standard error is that of the fit and that of the jackknife over the parts of the map,
    squared and added: neither the law nor the map is all that there is.

    Parameters
    ----------
    x : array (m,)
    sums, weights : arrays (m, parts)
        y is the total of the sums over that of the weights.
    """
    y = sums.sum(axis=1) / weights.sum(axis=1)
    if len(x) < 3 or not (y > 0).all():
        return Estimate(np.nan, np.nan)
    a = np.log(x) - np.log(x).mean()

    def slope(y: NDArray[np.float64]) -> Any:
        return a @ np.log(y) / (a @ a)

    value = slope(y)
    residual = np.log(y) - np.log(y).mean() - value * a
    fit = (residual @ residual) / (len(x) - 2) / (a @ a)
    left, left_weights = (p.sum(axis=1, keepdims=True) - p for p in (sums, weights))
    usable = (left > 0).all(axis=0) & (left_weights > 0).all(axis=0)
    chance = jackknife(slope(left[:, usable] / left_weights[:, usable]))
    return Estimate(float(value), float(np.hypot(np.sqrt(fit), chance)))


def wilson(
    counts: NDArray[np.int64], total: int, confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of Wilson's intervals of binomial shares (1927).

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    J. Amer. Statist. Assoc. 22, 209-212, 1927.
    """
    from statistics import NormalDist

    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, n = counts / max(total, 1), max(total, 1)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low = np.where(counts == 0, 0.0, middle - half)
    high = np.where(counts == total, 1.0, middle + half)
    return low, high


def checked_confidence(value: float) -> float:
    """A confidence level between 0 and 1."""
    confidence = real("basins", "confidence", value, 0.0, inclusive=False)
    if confidence >= 1:
        raise ValueError(f"confidence={value}: must be < 1 (basins)")
    return confidence
