"""The log-rank test: do several rules converge equally soon?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastopt.checks import Floats
from fastopt.runs import Runs
from fastopt.statistics.cells import Cells, as_counts, by_surface
from fastopt.statistics.counts import Counts, Integers
from fastopt.statistics.hitting import split
from fastopt.statistics.text import p_text, plural


@dataclass(frozen=True, repr=False, eq=False)
class LogRank:
    """The outcome of a log-rank test.

    Attributes
    ----------
    statistic : float
        Chi-squared.
    degrees : int
        Its degrees of freedom.
    p_value : float
        The probability of as large a statistic if there is no difference.
    observed, expected : numpy.ndarray, shape (groups,)
        How many runs of each group converged, and how many would if there were none. A group
        with more than expected is sooner.
    names : tuple of str
        Of the groups, where they are the rules of a study.
    """

    statistic: float
    degrees: int
    p_value: float
    observed: Floats
    expected: Floats
    names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        groups = [
            f"{seen:,.0f} ({expected:,.1f} expected)"
            for seen, expected in zip(self.observed, self.expected, strict=True)
        ]
        against = ", ".join(groups)
        if self.names:
            width = max(map(len, self.names))
            named = zip(self.names, groups, strict=True)
            against = "".join(f"\n  {name:{width}}  {group}" for name, group in named)
        return (
            f"log-rank: chi-squared {self.statistic:.4g}, "
            f"{plural(self.degrees, 'degree')} of freedom, {p_text(self.p_value)}\n"
            f"converged:{'' if self.names else ' '}{against}"
        )


def logrank(
    *groups: Runs | Counts | Cells,
    event: str = "converged",
    competing: str = "never",
    target: int | None = None,
) -> LogRank:
    """The log-rank test [1]_ of whether two or more rules converge equally soon.

    At each step it compares how many runs of each group converge with how many would if all
    runs that are still at risk were alike. The groups are independent: for runs from the same
    starts :func:`compare` sees more.

    Parameters
    ----------
    *groups : Runs, Counts or Result
        Two or more, each of one run at least. Or one result of a study on one surface, of
        which each rule (and setting of its parameters) is a group.
    event : {"converged", "diverged"}, default "converged"
        What to wait for.
    competing : {"never", "censored"}, default "never"
        What to make of runs that ended the other way.

        * ``"never"``: they stay at risk for ever, since they never converge; a rule that
          diverges more is then worse. This compares what :func:`hitting_time` shows, as the
          test of Gray (1988) [2]_ does; with the censoring of every run known it is Fine and
          Gray's (1999) [3]_, if the runs of all groups have the same ``max_steps``.
        * ``"censored"``: they leave, as if they might have converged later. This compares how
          soon those converge that do not diverge (the *cause-specific hazard*).
    target : int, optional
        Index of one of ``runs.targets``: wait for that instead of ``stop=``.

    Returns
    -------
    LogRank
        With ``.statistic``, ``.p_value``, ``.observed`` and ``.expected``. If nothing can
        differ, because nothing converged, the p-value is 1.

    References
    ----------
    .. [1] N. Mantel, Cancer Chemother. Rep. 50, 163-170, 1966; R. Peto, J. Peto,
       "Asymptotically efficient rank invariant test procedures", J. R. Stat. Soc. A 135,
       185-207, 1972.
    .. [2] R. J. Gray, "A class of k-sample tests for comparing the cumulative incidence of a
       competing risk", Ann. Stat. 16, 1141-1154, 1988.
    .. [3] J. P. Fine, R. J. Gray, "A proportional hazards model for the subdistribution of a
       competing risk", J. Am. Stat. Assoc. 94, 496-509, 1999.

    Examples
    --------
    >>> import fastopt as fo
    >>> Counts = fo.statistics.Counts
    >>> soon = Counts.from_steps(converged=[3, 4, 4, 6, 9], censored=[20])
    >>> late = Counts.from_steps(converged=[8, 11, 15, 19], censored=[20, 20])
    >>> fo.statistics.logrank(soon, late)
    log-rank: chi-squared 2.467, 1 degree of freedom, p = 0.12
    converged: 5 (2.9 expected), 4 (6.1 expected)
    """
    from scipy.special import chdtrc

    names: tuple[str, ...] = ()
    if len(groups) == 1 and isinstance(groups[0], Cells):
        names, counts = _rules(groups[0], target)
    else:
        counts = [as_counts("logrank", group, target) for group in groups]
    if len(counts) < 2:
        raise ValueError(f"{plural(len(counts), 'group')}: must be two or more (logrank)")
    for place, group in enumerate(counts):
        if not group.runs:
            raise ValueError(f"group {place} holds no runs: must hold one or more (logrank)")
    if competing == "risk":
        raise ValueError("competing='risk': must be 'never' or 'censored' (logrank)")
    steps = np.unique(np.concatenate([group.steps for group in counts]))
    events, at_risk = _by_step(counts, steps, event, competing)
    d, n = events.sum(axis=1), at_risk.sum(axis=1)
    busy = d > 0
    share = at_risk[busy] / n[busy, None]
    d, n = d[busy].astype(np.float64), n[busy].astype(np.float64)
    expected = (d[:, None] * share).sum(axis=0)
    observed = events.sum(axis=0).astype(np.float64)
    spread = d * (n - d) / np.maximum(n - 1, 1)
    variance = np.diag(spread @ share) - (share * spread[:, None]).T @ share
    # The last group's is what the others leave.
    excess, variance = (observed - expected)[:-1], variance[:-1, :-1]
    statistic = max(float(excess @ np.linalg.pinv(variance, hermitian=True) @ excess), 0.0)
    degrees = len(counts) - 1
    p_value = float(chdtrc(degrees, statistic))
    return LogRank(statistic, degrees, p_value, observed, expected, names)


def _rules(results: Cells, target: int | None) -> tuple[tuple[str, ...], list[Counts]]:
    """The rules of a study on one surface."""
    surfaces = by_surface("logrank", results)
    if len(surfaces) > 1:
        raise ValueError(
            f"a Result of the surfaces {', '.join(surfaces)}: must be of one; "
            "result.select(surface=...) takes it (logrank)"
        )
    ((_, cells),) = surfaces.items()
    return tuple(cells), [cell.counts(target) for cell in cells.values()]


def _by_step(
    counts: list[Counts], steps: Integers, event: str, competing: str
) -> tuple[Integers, Integers]:
    """Events, and runs at risk, at each step in each group."""
    events = np.zeros((steps.size, len(counts)), np.int64)
    leaving = np.zeros_like(events)
    for column, group in enumerate(counts):
        rows = np.searchsorted(steps, group.steps)
        happened, _, censored = split(group, "logrank", event, competing)
        events[rows, column] = happened
        leaving[rows, column] = happened + censored
    gone = np.cumsum(leaving, axis=0) - leaving
    return events, np.array([group.runs for group in counts]) - gone
