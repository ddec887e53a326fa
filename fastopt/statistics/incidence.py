"""Estimates of Kaplan and Meier, and of Aalen and Johansen, from counts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fastopt.checks import Floats
from fastopt.statistics.counts import Integers


class Incidence(NamedTuple):
    """The cumulative incidence of an event; arrays have a row for each step."""

    steps: Integers
    at_risk: Integers
    events: Integers
    others: Integers
    mass: Floats
    """What each run at risk weighs just before: its own share, and its part of those that
    were censored before."""
    cdf: Floats
    accounted: Integers
    """How many runs were not censored before."""

    @property
    def before(self) -> Floats:
        """The share that was still going just before each step."""
        return self.at_risk * self.mass

    @property
    def after(self) -> Floats:
        """The share that was still going just after each step."""
        return (self.at_risk - self.events - self.others) * self.mass

    @property
    def left(self) -> float:
        """The share that was still going after the last step."""
        return float(self.after[-1])

    def variance(self) -> Floats:
        """Of the cdf, by the delta method: Greenwood's where nothing competes.

        Collett (2014), section 12.2, whose sums over earlier steps are expanded. They hold the
        rise since each step; as the difference of what is still to come it is exact to rounding
        where few runs are left, whose terms are large.
        """
        n, d, ended = _floats(self.at_risk, self.events, self.events + self.others)
        ends = _hazard_variance(n, ended)
        here = _over(self.before * d, n * n)
        own = np.cumsum(_over(self.before**2 * d * (n - d), n**3))
        G = self.cdf[-1] - self.cdf
        first = np.cumsum(ends * G * G) - 2 * G * np.cumsum(ends * G) + G * G * np.cumsum(ends)
        last = np.cumsum(here * G) - G * np.cumsum(here)
        return np.maximum(first + own - 2 * last, 0.0)

    def area_above(self, until: float) -> tuple[float, float]:
        """The area above the cdf from 0 to *until*, and the variance of its estimate."""
        early = self.steps < until
        t = self.steps[early].astype(np.float64)
        F = self.cdf[early]
        n, d, other = _floats(self.at_risk[early], self.events[early], self.others[early])
        widths = np.diff(t, append=until)
        # Below the curve, from each step on, less what it had there.
        rise = np.cumsum((F * widths)[::-1])[::-1] - F * (until - t)
        h, k = _over(d, n), _over(other, n)
        later = _over(rise, 1 - h - k)
        a, b = self.before[early] * (until - t) - later, -later
        spread = a * a * h * (1 - h) - 2 * a * b * h * k + b * b * k * (1 - k)
        value = ((1 - F) * widths).sum()
        return float(value), max(float(_over(spread, n).sum()), 0.0)


def incidence(
    steps: Integers, events: Integers, others: Integers, censored: Integers, runs: int
) -> Incidence:
    """The incidence of *events* among *runs*, from step 0 on.

    Runs that are in none of the counts stay at risk for ever.
    """
    if not steps.size or steps[0] > 0:
        steps = np.concatenate([[0], steps])
        events, others, censored = (np.concatenate([[0], c]) for c in (events, others, censored))
    gone = np.cumsum(events + others + censored)
    at_risk = runs - np.concatenate([[0], gone[:-1]])
    # A run that is censored leaves its weight to those that are still going. The weight is
    # exactly 1 run until then, and the cdf of so many runs is then a quotient of two integers.
    going = at_risk - events - others
    shared = _over(going[:-1].astype(np.float64), at_risk[1:])
    weight = np.concatenate([[1.0], np.cumprod(shared)])
    nothing = np.full(steps.size, np.nan)
    return Incidence(
        steps=steps,
        at_risk=at_risk,
        events=events,
        others=others,
        mass=weight / runs if runs else nothing,
        cdf=np.cumsum(weight * events) / runs if runs else nothing,
        accounted=runs - np.concatenate([[0], np.cumsum(censored)[:-1]]),
    )


def band(curve: Incidence, z: float) -> tuple[Floats, Floats]:
    """The ends of the interval of the cdf at each step, *z* standard errors to either side."""
    F = curve.cdf
    if np.isnan(F).any():
        return np.zeros_like(F), np.ones_like(F)
    low, high = np.zeros_like(F), np.ones_like(F)
    inside = (F > 0) & (F < 1)
    with np.errstate(divide="ignore"):
        if curve.others.any():
            # Of log(-log(cdf)).
            logarithm = np.log(F[inside])
            reach = z * np.sqrt(curve.variance()[inside]) / (F[inside] * -logarithm)
            low[inside] = np.exp(logarithm * np.exp(reach))
            high[inside] = np.exp(logarithm * np.exp(-reach))
        else:
            # Of log(-log(1 - cdf)), with Greenwood's sum.
            greenwood = np.cumsum(_hazard_variance(*_floats(curve.at_risk, curve.events)))
            logarithm = np.log1p(-F[inside])
            reach = z * np.sqrt(greenwood[inside]) / -logarithm
            low[inside] = -np.expm1(logarithm * np.exp(-reach))
            high[inside] = -np.expm1(logarithm * np.exp(reach))
    # Wilson's, of none and of all.
    high[F <= 0] = z * z / (curve.accounted[F <= 0] + z * z)
    every = curve.events.sum()
    low[F >= 1] = every / (every + z * z)
    return low, high


def _hazard_variance(n: Floats, d: Floats) -> Floats:
    """Greenwood's d / (n (n - d)); 0 where nobody is left, after which nothing changes."""
    return _over(d, n * (n - d))


def _floats(*counts: Integers) -> tuple[Floats, ...]:
    return tuple(count.astype(np.float64) for count in counts)


def _over(a: Floats, b: Floats | Integers) -> Floats:
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.shape(a)), where=b > 0)
