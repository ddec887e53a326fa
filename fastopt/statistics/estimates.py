"""Estimates with their intervals, and how they are written."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from fastopt.checks import real
from fastopt.statistics.text import percent


@dataclass(frozen=True, repr=False)
class Estimate:
    """A number and the interval that holds the true one with the given confidence.

    Attributes
    ----------
    value, low, high : float
        The estimate, and the ends of the interval.
    confidence : float
        Of the interval: 0.95 for 95%.
    """

    value: float
    low: float
    high: float
    confidence: float

    def text(self, number: float) -> str:
        """One of the three numbers, in words."""
        return format(number, ",.4g")

    def interval(self) -> str:
        """The interval, in words: ``97.9% to 98.6%``."""
        return f"{self.text(self.low)} to {self.text(self.high)}"

    def __repr__(self) -> str:
        return f"{self.text(self.value)} [{self.confidence * 100:g}%: {self.interval()}]"


@dataclass(frozen=True, repr=False)
class Share(Estimate):
    """A share of runs, from 0 to 1; see :class:`Estimate`."""

    def text(self, number: float) -> str:
        return percent(number)


@dataclass(frozen=True, repr=False)
class Steps(Estimate):
    """A number of steps, inf where it is beyond what was observed; see :class:`Estimate`.

    Attributes
    ----------
    beyond : int or None
        What an inf means: more than so many steps; or, if None, never.
    """

    beyond: int | None = None

    def text(self, number: float) -> str:
        if math.isinf(number):
            return "never" if self.beyond is None else f"> {self.beyond:,}"
        return "-" if math.isnan(number) else format(number, ",.0f")

    def interval(self) -> str:
        return self.text(self.low) if math.isinf(self.low) else super().interval()


def normal_quantile(owner: str, confidence: float) -> float:
    """How many standard errors an interval of this confidence reaches to either side."""
    confidence = real(owner, "confidence", confidence, 0.0, inclusive=False)
    if confidence >= 1:
        hint = f"; {confidence:g}% is {confidence / 100:g}" if 1 < confidence < 100 else ""
        raise ValueError(f"confidence={confidence}: must be < 1{hint} ({owner})")
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def wilson(successes: float, runs: float, z: float) -> tuple[float, float]:
    """Wilson's interval of a share, for *z* standard errors: (low, high).

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference",
    J. Am. Stat. Assoc. 22, 209-212, 1927.
    """
    if not runs:
        return 0.0, 1.0
    share, shrink = successes / runs, 1 + z * z / runs
    middle = (share + z * z / (2 * runs)) / shrink
    half = z * math.sqrt((share * (1 - share) + z * z / (4 * runs)) / runs) / shrink
    # At the ends middle and half are the same number but for their last bits.
    low = 0.0 if successes == 0 else max(middle - half, 0.0)
    return low, 1.0 if successes == runs else min(middle + half, 1.0)
