"""One line for each of several rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastopt.runs import Runs
from fastopt.statistics.cells import Cells, as_counts, labels
from fastopt.statistics.counts import Counts
from fastopt.statistics.estimates import Estimate, Share, Steps, normal_quantile
from fastopt.statistics.hitting import hitting_time
from fastopt.statistics.success import Ert, ert, success_rate
from fastopt.statistics.text import WIDTH, grid


@dataclass(frozen=True)
class Summary:
    """What came of many runs of one rule.

    Attributes
    ----------
    runs : int
        How many there are.
    success, diverged : Share
        The shares that converged and diverged.
    median, p90 : Steps
        By how many steps half of them, and 90%, had converged.
    ert : Ert
        The expected running time.
    """

    runs: int
    success: Share
    median: Steps
    p90: Steps
    ert: Ert
    diverged: Share


@dataclass(frozen=True, repr=False)
class Table:
    """Summaries of several rules; it prints as a table.

    Attributes
    ----------
    rows : dict of str to Summary
        By the name of the rule.
    confidence : float
        Of the intervals.
    """

    rows: dict[str, Summary]
    confidence: float

    def __repr__(self) -> str:
        head = ["", "success", "median steps", "90%", "ERT", "diverged"]
        narrow, wide = (
            grid(head, [line for name, row in self.rows.items() for line in _lines(name, row, far)])
            for far in (True, False)
        )
        return wide if max(map(len, wide.splitlines())) <= WIDTH else narrow


def table(
    results: Mapping[str, Runs | Counts | Cells] | Cells,
    *,
    target: int | None = None,
    confidence: float = 0.95,
) -> Table:
    """Success, median and 90% of steps, ERT and divergence of several rules, as one table.

    Parameters
    ----------
    results : mapping of str to Runs, Counts or Result, or a Result
        By the name of each rule; of a study's result there is a row for each cell.
    target : int, optional
        Index of one of ``runs.targets``: what reached that has converged.
    confidence : float, default 0.95
        Of the intervals, between 0 and 1.

    Returns
    -------
    Table
        With ``.rows``, a :class:`Summary` for each name: of :func:`success_rate`,
        :func:`hitting_time` and :func:`ert`.

    Examples
    --------
    >>> import fastopt as fo
    >>> Counts = fo.statistics.Counts
    >>> soon = Counts.from_steps(converged=[30, 40, 40, 60], censored=[200])
    >>> late = Counts.from_steps(converged=[80, 110], diverged=[15], censored=[200, 200])
    >>> fo.statistics.table({"soon": soon, "late": late})
                 success  median steps    90%         ERT  diverged
    soon           80.0%            40  > 200        92.5        0%
          37.6% to 96.4%   30 to > 200          36 to 345
    late           40.0%         > 200  never         302     20.0%
          11.8% to 76.9%   80 to > 200         102 to inf
    """
    normal_quantile("table", confidence)
    if isinstance(results, Cells):
        cells = results.cells()
        counts = {
            name: cell.counts(target) for name, cell in zip(labels(cells), cells, strict=True)
        }
    else:
        counts = {name: as_counts("table", one, target) for name, one in results.items()}
    return Table({name: summary(one, confidence) for name, one in counts.items()}, confidence)


def summary(counts: Counts, confidence: float = 0.95) -> Summary:
    """The row of :func:`table` of one rule."""
    time = hitting_time(counts, confidence=confidence)
    return Summary(
        runs=counts.runs,
        success=success_rate(counts, confidence=confidence),
        median=time.median,
        p90=time.quantile_interval(0.9),
        ert=ert(counts, confidence=confidence),
        diverged=success_rate(counts, event="diverged", confidence=confidence),
    )


def _lines(name: str, row: Summary, apart: bool) -> list[list[str]]:
    """The cells of the estimates, and of their intervals below; the ends apart if they are long."""
    estimates = [row.success, row.median, row.p90, row.ert, row.diverged]
    intervals: list[Estimate | None] = [row.success, row.median, None, row.ert, None]
    shown = [name, *(one.text(one.value) for one in estimates)]
    if not apart:
        return [shown, ["", *("" if one is None else one.interval() for one in intervals)]]
    low = ["" if one is None else f"from {one.text(one.low)}" for one in intervals]
    high = ["" if one is None else f"to {one.text(one.high)}" for one in intervals]
    return [shown, ["", *low], ["", *high]]
