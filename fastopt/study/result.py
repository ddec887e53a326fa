"""What came of a study: exact counts of every cell, and statistics of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastopt.kernels.reduction import FASTEST, HIGHEST, LOWEST, SLOWEST, SOONEST
from fastopt.runs import Status
from fastopt.statistics import Counts
from fastopt.study import values
from fastopt.study.measures import statistics
from fastopt.study.outline import Group, Outline
from fastopt.study.reduced import HIT_ROWS, Reduced

if TYPE_CHECKING:
    import pandas
    import xarray

_ORDERS = {
    ("worst", "steps"): SLOWEST,
    ("best", "steps"): FASTEST,
    ("worst", "value"): HIGHEST,
    ("best", "value"): LOWEST,
    ("worst", "divergence"): SOONEST,
}
_MAGNITUDE = (1 << 63) - 1


@dataclass(frozen=True)
class Extremes:
    """The runs at one end of an order, the outermost first.

    Attributes
    ----------
    index : numpy.ndarray of int64, shape (k,)
        The numbers of their starts, as :meth:`fastopt.Study.rerun` takes them.
    measure : numpy.ndarray, shape (k,)
        Their steps (int64), or final values above the minimum (float64; the values themselves
        where the minimum is not known).
    """

    index: NDArray[np.int64]
    measure: NDArray[Any]


class Cell(NamedTuple):
    """One rule, surface, seed and setting, and its runs."""

    group: Group
    setting: dict[str, float]
    reduced: Reduced


class Result:
    """Exact counts of all runs of a study; ``print(result)`` shows a table.

    A cell is the runs of one rule, surface, seed and setting of the rule's parameters. Where
    there is only one rule, surface, ... it need not be named; several seeds are taken together
    unless one is named.

    Attributes
    ----------
    rules, surfaces : list of str
        Their labels.
    seeds : list of int
    targets : numpy.ndarray, shape (k,)
    runs : int
        How many runs are in it.
    planned : int
        How many there will be: more than *runs* only in a store that is not finished.
    """

    def __init__(self, outline: Outline, cells: Mapping[tuple[int, int], Reduced]):
        self.outline, self._cells = outline, dict(cells)
        self.rules: list[str] = outline.labels("rule")
        self.surfaces: list[str] = outline.labels("surface")
        self.seeds: list[int] = outline.labels("seed")
        self.targets = np.array(outline.targets)
        self.runs = sum(cell.runs for cell in self._cells.values())
        self.planned = sum(group.settings * group.starts for group in outline.groups)

    # -- one cell ------------------------------------------------------------------------

    def counts(
        self,
        rule: str | None = None,
        surface: str | None = None,
        *,
        seed: int | None = None,
        target: int | None = None,
        **setting: float,
    ) -> Counts:
        """How many runs of a cell ended how at which step, as ``fo.statistics`` takes it.

        Parameters
        ----------
        rule, surface : str, optional
            Their labels.
        seed : int, optional
        target : int, optional
            The index of one of ``targets``: a run has then converged at the first step at
            which it met that.
        **setting : float
            The parameters along the rule's dimensions: ``learning_rate=0.1``.

        Raises
        ------
        ValueError
            There is no such cell or target; what there is is named.
        """
        _, reduced = self._find(rule, surface, seed, setting)
        if target is None:
            return _counts([reduced.ends.row(status) for status in Status])
        if not 0 <= target < len(self.targets):
            raise ValueError(f"target={target}: must be >= 0 and < {len(self.targets)} (Result)")
        return _counts_of_target(reduced, target)

    def value_counts(
        self,
        rule: str | None = None,
        surface: str | None = None,
        *,
        seed: int | None = None,
        **setting: float,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """A histogram of the final values above the minimum: low and high ends, and counts.

        Of a surface whose minimum is not known, of the values themselves. There are 16 bins
        between a power of two and the next; only those that hold values are given.
        """
        _, reduced = self._find(rule, surface, seed, setting)
        bins, counts = reduced.values.row(0)
        return *values.edges(bins), counts

    def loss_quantiles(
        self,
        rule: str | None = None,
        surface: str | None = None,
        shares: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95),
        *,
        seed: int | None = None,
        **setting: float,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Quantiles over all runs of the value above the minimum, at the recorded steps.

        Each is the middle of the bin that holds it: within 3.2% of the exact quantile.

        Returns
        -------
        steps : numpy.ndarray of int64, shape (k,)
        values : numpy.ndarray, shape (k, len(shares))

        Raises
        ------
        ValueError
            Nothing was recorded.
        """
        group, reduced = self._find(rule, surface, seed, setting)
        if not group.records:
            raise ValueError("nothing was recorded: make the study with record=fo.Record(...)")
        rows = [values.quantiles(*reduced.losses.row(k), shares) for k in range(len(group.records))]
        return np.array(group.records, np.int64), np.array(rows)

    def worst(
        self,
        rule: str | None = None,
        surface: str | None = None,
        by: str = "steps",
        *,
        seed: int | None = None,
        **setting: float,
    ) -> Extremes:
        """The runs with the most steps to convergence, or the highest final values.

        Parameters
        ----------
        rule, surface, seed, **setting
            As for :meth:`counts`; one cell, so that of several seeds one must be named.
        by : {"steps", "value", "divergence"}, default "steps"
            Steps of those that converged; values of those that did not diverge; or the runs
            that diverged soonest.

        Returns
        -------
        Extremes
            As many as the study keeps (``extremes=``); equal ones in the order of the starts.
        """
        return self._extremes("worst", by, rule, surface, seed, setting)

    def best(
        self,
        rule: str | None = None,
        surface: str | None = None,
        by: str = "steps",
        *,
        seed: int | None = None,
        **setting: float,
    ) -> Extremes:
        """The runs with the fewest steps to convergence, or the lowest final values.

        As :meth:`worst`, with *by* one of "steps" and "value".
        """
        return self._extremes("best", by, rule, surface, seed, setting)

    def _extremes(
        self,
        end: str,
        by: str,
        rule: str | None,
        surface: str | None,
        seed: int | None,
        setting: dict[str, float],
    ) -> Extremes:
        if (end, by) not in _ORDERS:
            known = " or ".join(repr(b) for e, b in _ORDERS if e == end)
            raise ValueError(f"by={by!r}: must be {known} (Result.{end})")
        if seed is None and len(self.seeds) > 1:
            raise ValueError(f"seed: must be one of {self.seeds}, as an index is one of a cell")
        order = _ORDERS[end, by]
        starts, keys = self._find(rule, surface, seed, setting)[1].order(order)
        if by != "value":
            return Extremes(starts, keys if order == SLOWEST else -keys)
        bits = ~keys if order == LOWEST else keys
        return Extremes(starts, np.where(bits >= 0, bits, bits ^ _MAGNITUDE).view(np.float64))

    def _find(
        self, rule: str | None, surface: str | None, seed: int | None, setting: dict[str, float]
    ) -> tuple[Group, Reduced]:
        numbers, setting_number = self.outline.find(rule, surface, seed, setting)
        group = self.outline.groups[numbers[0]]
        parts = [self._cell(number, setting_number) for number in numbers]
        return group, Reduced.merged(parts, group.shape)

    def _cell(self, group: int, setting: int) -> Reduced:
        nothing = Reduced.nothing(self.outline.groups[group].shape)
        return self._cells.get((group, setting), nothing)

    # -- all cells -----------------------------------------------------------------------

    def cells(self) -> Iterator[Cell]:
        """All cells, in the order of the plan."""
        for number, group in enumerate(self.outline.groups):
            shape = tuple(len(points) for points in group.dimensions.values())
            for setting in range(group.settings):
                place = np.unravel_index(setting, shape)
                at = {
                    name: points[int(k)]
                    for (name, points), k in zip(group.dimensions.items(), place, strict=True)
                }
                yield Cell(group, at, self._cell(number, setting))

    @property
    def digest(self) -> str:
        """A hash of all counts: equal for equal results, however they were computed."""
        found = hashlib.sha256()
        for cell in self.cells():
            for name, array in cell.reduced.arrays().items():
                found.update(repr((name, array.dtype.str, array.shape)).encode())
                found.update(array.tobytes())
        return found.hexdigest()

    def to_xarray(self, per_step: bool = True) -> xarray.Dataset:
        """All cells as an :class:`xarray.Dataset` with the dimensions rule and surface.

        Further ones are those of the rules' parameters, ``seed`` where there are several,
        ``status``, ``step``, ``target`` and ``record_step``. Of a cell that is not there, as
        where two rules have other learning rates, ``runs`` is 0.

        Parameters
        ----------
        per_step : bool, default True
            Whether to give the counts of each step, the bulk of it.

        Raises
        ------
        ImportError
            xarray is not installed: ``pip install 'fastopt[xarray]'``.
        """
        from fastopt.study.labelled import to_xarray

        return to_xarray(self, per_step)

    def to_pandas(self) -> pandas.DataFrame:
        """A table with a row for each cell.

        Raises
        ------
        ImportError
            pandas is not installed: ``pip install 'fastopt[pandas]'``.
        """
        try:
            import pandas
        except ImportError:
            raise ImportError("to_pandas() needs pandas: pip install 'fastopt[pandas]'") from None
        return pandas.DataFrame(self.rows())

    def rows(self) -> list[dict[str, Any]]:
        """The cells' statistics, a dictionary for each."""
        found = []
        for cell in self.cells():
            ends = [cell.reduced.ends.row(status) for status in Status]
            found.append(
                {
                    "rule": cell.group.rule,
                    "surface": cell.group.surface,
                    "seed": cell.group.seed,
                    **cell.setting,
                    "runs": cell.reduced.runs,
                    **{s.name.lower(): int(ends[s][1].sum()) for s in Status},
                    **statistics(_counts(ends)),
                }
            )
        return found

    def summary(self) -> str:
        """A table of 80 columns; of a rule's settings the one of the least ERT."""
        from fastopt.study.table import table

        return table(self)

    def __repr__(self) -> str:
        return self.summary()


def target_counts(cell: Cell, target: int) -> Counts:
    """The counts of a cell by one of its targets."""
    return _counts_of_target(cell.reduced, target)


def _counts_of_target(reduced: Reduced, target: int) -> Counts:
    hits, *ends = [reduced.hits.row(HIT_ROWS * target + k) for k in range(HIT_ROWS)]
    missed = [ends[Status.DIVERGED], ends[Status.MAX_STEPS], ends[Status.CONVERGED]]
    return _joined([hits, *missed])


def _counts(ends: Sequence[tuple[Any, Any]]) -> Counts:
    nobody = (np.zeros(0, np.int64),) * 2
    kinds = [ends[Status.CONVERGED], ends[Status.DIVERGED], ends[Status.MAX_STEPS], nobody]
    return _joined(kinds)


def _joined(kinds: Sequence[tuple[Any, Any]]) -> Counts:
    steps = np.unique(np.concatenate([at for at, _ in kinds]))
    columns = np.zeros((len(kinds), len(steps)), np.int64)
    for column, (at, counts) in zip(columns, kinds, strict=True):
        column[np.searchsorted(steps, at)] = counts
    return Counts(steps, *columns)
