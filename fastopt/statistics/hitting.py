"""When runs converge: cumulative incidence with censoring and competing risks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fastopt.checks import Floats, real
from fastopt.runs import Runs
from fastopt.statistics.cells import Cells, as_counts
from fastopt.statistics.counts import Counts, Integers
from fastopt.statistics.estimates import Steps, normal_quantile
from fastopt.statistics.incidence import Incidence, band, incidence
from fastopt.statistics.text import percent, plural

_SHOWN = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True, repr=False)
class RestrictedMean(Steps):
    """A mean number of steps, cut at some step; see :class:`Steps`.

    Attributes
    ----------
    std_error : float
        Its standard error, in steps.
    until : float
        The step at which it is cut.
    """

    std_error: float = math.nan
    until: float = math.nan

    def text(self, number: float) -> str:
        return format(number, ",.1f")


@dataclass(frozen=True, repr=False, eq=False)
class HittingTime:
    """The distribution of the step at which runs converge, or diverge.

    Attributes
    ----------
    steps : numpy.ndarray of int64, shape (k,)
        0, and each step at which a run ended.
    cdf : numpy.ndarray, shape (k,)
        The probability to have converged by then.
    low, high : numpy.ndarray, shape (k,)
        The ends of its interval, for each step by itself.
    at_risk : numpy.ndarray of int64, shape (k,)
        How many runs were still going just before.
    runs : int
        The number of runs.
    event : {"converged", "diverged"}
        What was waited for; "to have converged" below is to be read so.
    method : {"Kaplan-Meier", "Aalen-Johansen"}
        How it was estimated.
    confidence : float
        Of the intervals.
    """

    steps: Integers
    cdf: Floats
    low: Floats
    high: Floats
    at_risk: Integers
    runs: int
    event: str
    method: str
    confidence: float
    _budget: int | None
    _within_reach: float
    _incidence: Incidence

    @property
    def left(self) -> float:
        """The probability to be going still after the last of ``steps``."""
        return self._incidence.left

    def at(self, steps: ArrayLike) -> Floats:
        """The probability to have converged by these steps; nan beyond what was observed."""
        steps = np.asarray(steps)
        place = np.searchsorted(self.steps, steps, side="right") - 1
        known = (steps <= self.steps[-1]) | (self.left == 0)
        return np.where(place < 0, 0.0, np.where(known, self.cdf[place], np.nan))

    def quantile(self, q: ArrayLike) -> Any:
        """The first step by which a share *q* has converged, inf where it is censored.

        Parameters
        ----------
        q : array_like
            Shares above 0 and up to 1; 0.5 for the median.

        Returns
        -------
        float or numpy.ndarray of the shape of *q*
            In steps; nan without runs.
        """
        shares = np.asarray(q, np.float64)
        if not ((shares > 0) & (shares <= 1)).all():
            raise ValueError(f"q={q!r}: must be above 0 and at most 1 (HittingTime.quantile)")
        if not self.runs:
            found = np.full(shares.shape, np.nan)
        else:
            found = np.array([self._first(self.cdf, share) for share in shares.ravel()])
        return float(found.item()) if shares.ndim == 0 else found.reshape(shares.shape)

    def quantile_interval(self, q: float) -> Steps:
        """:meth:`quantile` with its interval, which says ``> 10,000`` where it is censored.

        The interval holds the steps at which the band around the curve holds *q*, Brookmeyer
        and Crowley (1982) [1]_.

        References
        ----------
        .. [1] R. Brookmeyer, J. Crowley, "A confidence interval for the median survival
           time", Biometrics 38, 29-41, 1982.
        """
        value = self.quantile(real("HittingTime.quantile_interval", "q", q, 0.0))
        beyond = self._budget
        if self._within_reach < q * (1 - _ROUNDING):
            beyond = None  # even if all that ran out of steps were to converge
        if not self.runs:
            return Steps(value, 0.0, math.inf, self.confidence, beyond)
        low, high = self._first(self.high, q), self._first(self.low, q)
        return Steps(value, low, high, self.confidence, beyond)

    @property
    def median(self) -> Steps:
        """The step by which half of the runs have converged, with its interval."""
        return self.quantile_interval(0.5)

    def restricted_mean(self, until: float | None = None) -> RestrictedMean:
        """The mean of the hitting time, or of *until* where that is sooner.

        A run that never converges counts as *until*. It is the area above the curve of
        ``cdf`` up to there [1]_; its standard error is by the delta method, which is
        Greenwood's for the estimate of Kaplan and Meier.

        Parameters
        ----------
        until : float, optional
            In steps, > 0; by default the last step at which a run ended.

        Raises
        ------
        ValueError
            It is beyond what was observed.

        References
        ----------
        .. [1] P. Royston, M. K. B. Parmar, "Restricted mean survival time", BMC Med. Res.
           Methodol. 13, 152, 2013; with competing risks, P. K. Andersen, Stat. Med. 32,
           5278-5285, 2013.
        """
        owner, last = "HittingTime.restricted_mean", int(self.steps[-1])
        until = float(last) if until is None else real(owner, "until", until, 0.0, inclusive=False)
        if until > last and (self.left > 0 or not self.runs):
            raise ValueError(
                f"until={until:g}: must be at most {last:,}, the last step observed; run for "
                f"more steps ({owner})"
            )
        if not self.runs:
            return RestrictedMean(math.nan, 0.0, until, self.confidence)
        value, variance = self._incidence.area_above(until)
        error = math.sqrt(variance)
        half = normal_quantile(owner, self.confidence) * error
        low, high = max(value - half, 0.0), min(value + half, until)
        return RestrictedMean(value, low, high, self.confidence, None, error, until)

    def _first(self, curve: Floats, share: float) -> float:
        reached = curve >= share * (1 - _ROUNDING)
        return float(self.steps[np.argmax(reached)]) if reached.any() else math.inf

    def __repr__(self) -> str:
        lines = [
            f"Hitting time of {plural(self.runs, 'run')} ({self.method}): "
            f"{percent(float(self.cdf[-1]))} {self.event} by step {self.steps[-1]:,}",
            f"{'':8}{'steps':>14}   {self.confidence * 100:g}% interval",
        ]
        for q in _SHOWN:
            found = self.quantile_interval(q)
            name = "median" if q == 0.5 else f"{q:.0%}"
            lines.append(f"  {name:6}{found.text(found.value):>14}   {found.interval()}")
        return "\n".join(lines)


# Of sums of products; far less than one run among 10^11.
_ROUNDING = 1e-12


def hitting_time(
    runs: Runs | Counts | Cells,
    *,
    event: str = "converged",
    competing: str = "risk",
    target: int | None = None,
    confidence: float = 0.95,
) -> HittingTime:
    """The distribution of the step at which runs converge, with its interval at each step.

    A run that is out of steps is censored: it might have converged later. If no run diverged
    the estimate is that of Kaplan and Meier (1958) [1]_, with Greenwood's variance and the
    interval of log(-log(1 - cdf)). If some did, they will never converge: divergence is a
    *competing risk*, and the estimate is the cumulative incidence of Aalen and Johansen
    (1978) [2]_ with the variance of the delta method and the interval of log(-log(cdf)) [3]_.

    Parameters
    ----------
    runs : Runs, Counts or Result
        The runs, those of a study's result of one cell; all censored at one number of steps,
        or not.
    event : {"converged", "diverged"}, default "converged"
        What to wait for; the other is then what competes with it.
    competing : {"risk", "censored", "never"}, default "risk"
        What to make of runs that ended the other way.

        * ``"risk"``: they never converge, and take their share away. The curve ends at the
          share of all runs that converge.
        * ``"censored"``: Kaplan and Meier's estimate as if they might have converged later
          like all others. It tells what would be *if nothing diverged*, and is right only if
          those that diverge would be like the others then; it is never below the first.
        * ``"never"``: Kaplan and Meier's estimate where they stay among those at risk for
          ever. If all runs have one and the same ``max_steps``, the curve is that of
          ``"risk"``, with the interval of Kaplan and Meier's.
    target : int, optional
        Index of one of ``runs.targets``: wait for that instead of ``stop=``. A run that stopped
        elsewhere without reaching it is a competing risk like those that diverged.
    confidence : float, default 0.95
        Of the intervals, between 0 and 1.

    Returns
    -------
    HittingTime
        With ``.steps``, ``.cdf``, ``.low``, ``.high``, ``.quantile(q)``,
        ``.quantile_interval(q)``, ``.median`` and ``.restricted_mean(until)``.

    Notes
    -----
    Runs that end at the same step are at risk there together, and one that is out of steps at
    some step is at risk there still. Where the estimate is exactly 0 or 1 the intervals above
    are not defined; it is Wilson's there, of none or all of the runs.

    References
    ----------
    .. [1] E. L. Kaplan, P. Meier, "Nonparametric estimation from incomplete observations",
       J. Am. Stat. Assoc. 53, 457-481, 1958.
    .. [2] O. O. Aalen, S. Johansen, "An empirical transition matrix for non-homogeneous
       Markov chains based on censored observations", Scand. J. Stat. 5, 141-150, 1978.
    .. [3] D. Collett, "Modelling survival data in medical research", 3rd ed., CRC Press,
       2014, chapter 12; J. B. Choudhury, Stat. Med. 21, 1129-1144, 2002.

    Examples
    --------
    >>> import fastopt as fo
    >>> counts = fo.statistics.Counts.from_steps(
    ...     converged=[20, 35, 35, 60, 75], diverged=[4], censored=[100, 100]
    ... )
    >>> time = fo.statistics.hitting_time(counts)
    >>> time.steps
    array([  0,   4,  20,  35,  60,  75, 100])
    >>> time.cdf
    array([0.   , 0.   , 0.125, 0.375, 0.5  , 0.625, 0.625])
    >>> time.median
    60 [95%: 35 to > 100]
    >>> time.quantile([0.5, 0.9])
    array([60., inf])
    """
    counts = as_counts("hitting_time", runs, target)
    z = normal_quantile("hitting_time", confidence)
    events, others, censored = split(counts, "hitting_time", event, competing)
    curve = incidence(counts.steps, events, others, censored, counts.runs)
    low, high = band(curve, z)
    at_end = np.flatnonzero(censored)
    # Those that never converge are still at risk, but in name alone.
    lost = counts.runs - int((events + others + censored).sum())
    return HittingTime(
        steps=curve.steps,
        cdf=curve.cdf,
        low=low,
        high=high,
        at_risk=curve.at_risk,
        runs=counts.runs,
        event=event,
        method="Aalen-Johansen" if curve.others.any() else "Kaplan-Meier",
        confidence=confidence,
        _budget=int(counts.steps[at_end[-1]]) if at_end.size else None,
        _within_reach=float(curve.cdf[-1] + curve.left - lost * curve.mass[-1]),
        _incidence=curve,
    )


def split(
    counts: Counts, owner: str, event: str, competing: str
) -> tuple[Integers, Integers, Integers]:
    """Counts of the event, of what competes with it, and of censored runs, at each step."""
    if event not in ("converged", "diverged"):
        raise ValueError(f"event={event!r}: must be 'converged' or 'diverged' ({owner})")
    events: Integers = getattr(counts, event)
    other = counts.diverged if event == "converged" else counts.converged
    others, censored = other + counts.stopped, counts.censored
    none = np.zeros_like(others)
    if competing == "risk":
        return events, others, censored
    if competing == "censored":
        return events, none, censored + others
    if competing == "never":
        return events, none, censored
    raise ValueError(f"competing={competing!r}: must be 'risk', 'censored' or 'never' ({owner})")
