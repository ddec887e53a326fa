"""What came of a study: exact counts of every cell, and statistics of them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastopt.statistics import Counts
from fastopt.statistics.cells import Cells
from fastopt.study.cell import Cell, Extremes, Held
from fastopt.study.measures import statistics
from fastopt.study.outline import Outline
from fastopt.study.reduced import Reduced

if TYPE_CHECKING:
    import pandas
    import xarray
    from matplotlib.figure import Figure


class Result(Cells):
    """Exact counts of all runs of a study; ``print(result)`` shows a table.

    A cell is the runs of one rule, surface and setting of the rule's parameters; those of
    several seeds are taken together unless one is named. Where there is only one rule, surface,
    ... it need not be named.

    The functions of ``fo.statistics`` take it as they take Runs: ``success_rate``, ``ert``,
    ``hitting_time`` and ``convergence_rate`` of one cell, such as ``result.select("adam",
    "bowl")``; ``table`` and ``logrank`` of several; ``ecdf`` of one rule on all surfaces;
    ``performance_profile`` of all. Those that need single runs, ``compare``, ``compare_many``
    and ``data_profile``, take what :meth:`fastopt.Study.rerun` gives.

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
        self._outline, self._held = outline, Held(outline.groups, cells)
        self.rules: list[str] = outline.labels("rule")
        self.surfaces: list[str] = outline.labels("surface")
        self.seeds: list[int] = outline.labels("seed")
        self.targets = np.array(outline.targets)
        self.runs = self._held.runs
        self.planned = sum(group.runs for group in outline.groups)

    # -- parts ---------------------------------------------------------------------------

    def cells(self) -> list[Cell]:
        """All cells, in the order of the plan; of each seed's by itself, ``select(seed=...)``."""
        found = []
        for numbers in self._outline.alike():
            group = self._outline.groups[numbers[0]]
            for setting, point in enumerate(group.points()):
                found.append(Cell(group, point, self._held.of(numbers, setting), self.targets))
        return found

    def select(
        self,
        rule: str | Sequence[str] | None = None,
        surface: str | Sequence[str] | None = None,
        *,
        seed: int | Sequence[int] | None = None,
        **setting: float | Sequence[float],
    ) -> Result:
        """A part of the result, as a result.

        Parameters
        ----------
        rule, surface : str or list of str, optional
            Their labels; by default all.
        seed : int or list of int, optional
        **setting : float or list of float
            Values along dimensions of the rules: ``learning_rate=0.1``. Rules that have no such
            dimension are taken as they are.

        Raises
        ------
        ValueError
            There is no such label or value; what there is is named.

        Examples
        --------
        >>> import fastopt as fo
        >>> rules = {"descent": fo.GradientDescent([0.001, 0.01]), "adam": fo.Adam(0.1)}
        >>> result = fo.Study(rules, [fo.Himmelblau()], starts=500).run()
        >>> one = result.select("descent", learning_rate=0.01)
        >>> fo.statistics.success_rate(one).value
        1.0
        """
        chosen = {"rule": rule, "surface": surface, "seed": seed}
        return self._part(self._outline.select(chosen, setting))

    def tuned(self, target: int | None = None) -> Result:
        """Of the settings of each rule on each surface the one of the least ERT.

        It is chosen by the runs that it is then judged by: with few runs of many settings
        what is best looks better than it is.

        Parameters
        ----------
        target : int, optional
            Index of one of ``targets``: by that instead of ``stop=``.

        Returns
        -------
        Result
            Of equal ones, the one in which most runs converged, and then the first.
        """
        kept = {}
        for numbers in self._outline.alike():
            group = self._outline.groups[numbers[0]]
            points = list(group.points())
            costs = [
                _cost(Cell(group, point, self._held.of(numbers, k), self.targets).counts(target))
                for k, point in enumerate(points)
            ]
            best = points[costs.index(min(costs))]
            for number in numbers:
                kept[number] = {name: [value] for name, value in best.items()}
        return self._part(dict(sorted(kept.items())))

    def _part(self, kept: Mapping[int, Mapping[str, list[float]]]) -> Result:
        outline, places = self._outline.narrowed(kept)
        return Result(outline, self._held.parts(places))

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
        return self._find(rule, surface, seed, setting).counts(target)

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
        return self._find(rule, surface, seed, setting).value_counts()

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
            Nothing was recorded, or a share is not from 0 to 1.
        """
        return self._find(rule, surface, seed, setting).loss_quantiles(shares)

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
        cell = self._find(rule, surface, seed, setting)
        if seed is None and len(self.seeds) > 1:
            raise ValueError(f"seed: must be one of {self.seeds}, as an index is one of a cell")
        return cell.extremes(end, by)

    def _find(
        self, rule: str | None, surface: str | None, seed: int | None, setting: dict[str, float]
    ) -> Cell:
        numbers, number = self._outline.find(rule, surface, seed, setting)
        group = self._outline.groups[numbers[0]]
        point = list(group.points())[number]
        return Cell(group, point, self._held.of(numbers, number), self.targets)

    # -- all cells -----------------------------------------------------------------------

    @property
    def digest(self) -> str:
        """A hash of all counts: equal for equal results, however they were computed."""
        found = hashlib.sha256()
        for _, _, reduced in self._held.one_by_one():
            for name, array in reduced.arrays().items():
                found.update(repr((name, array.dtype.str, array.shape)).encode())
                found.update(array.tobytes())
        return found.hexdigest()

    def to_xarray(self, per_step: bool = True, per_target_step: bool = False) -> xarray.Dataset:
        """All cells as an :class:`xarray.Dataset` with the dimensions rule and surface.

        Further ones are those of the rules' parameters, ``seed`` where there are several,
        ``status``, ``step``, ``target`` and ``record_step``. Of a cell that is not there, as
        where two rules have other learning rates, ``runs`` is 0.

        Parameters
        ----------
        per_step : bool, default True
            Whether to give the counts of each step, the bulk of it.
        per_target_step : bool, default False
            Whether to give them for each target too: ``target_counts``, by ``outcome`` as in
            :class:`fastopt.statistics.Counts`.

        Raises
        ------
        ImportError
            xarray is not installed: ``pip install 'fastopt[xarray]'``.
        MemoryError
            The counts are more than the machine's memory holds.
        """
        from fastopt.study.labelled import to_xarray

        return to_xarray(self, per_step, per_target_step)

    def to_pandas(self, targets: bool = False) -> pandas.DataFrame:
        """A table with a row for each cell and seed.

        Parameters
        ----------
        targets : bool, default False
            Whether to have instead a row for each cell, seed and target, see :meth:`rows`.

        Raises
        ------
        ImportError
            pandas is not installed: ``pip install 'fastopt[pandas]'``.
        """
        try:
            import pandas
        except ImportError:
            raise ImportError("to_pandas() needs pandas: pip install 'fastopt[pandas]'") from None
        return pandas.DataFrame(self.rows(targets))

    def rows(self, targets: bool = False) -> list[dict[str, Any]]:
        """The statistics of the cells of each seed, a dictionary for each.

        Parameters
        ----------
        targets : bool, default False
            Whether to have instead one for each of ``targets``, with its value as ``target``:
            "converged" is what met it, and "stopped" what met ``stop=`` without having met it.

        Returns
        -------
        list of dict
            With rule, surface, seed, the setting, runs, how many ended how, and success_rate,
            median_steps, ert, ...; see :func:`fastopt.statistics.table`.
        """
        found = []
        for group, point, reduced in self._held.one_by_one():
            cell = Cell(group, point, reduced, self.targets)
            labels = {"rule": group.rule, "surface": group.surface, "seed": group.seed, **point}
            for target in range(len(self.targets)) if targets else [None]:
                counts = cell.counts(target)
                row = labels
                if target is not None:
                    row = {**labels, "target": float(self.targets[target])}
                ends = {
                    "converged": counts.converged,
                    "max_steps": counts.censored,
                    "diverged": counts.diverged,
                }
                if target is not None:
                    ends["stopped"] = counts.stopped
                numbers = {name: int(number.sum()) for name, number in ends.items()}
                found.append({**row, "runs": cell.runs, **numbers, **statistics(counts)})
        return found

    def plot(self, kind: str = "hitting_times", title: str = "", **options: Any) -> Figure:
        """A picture, by one of the functions of :mod:`fastopt.plot_statistics`.

        Parameters
        ----------
        kind : str, default "hitting_times"
            ``"hitting_times"`` and ``"survival"``: the share of runs that has converged, or has
            not, against steps, on each surface. ``"ecdf"``: the share of surfaces and targets
            that is solved within so many steps. ``"performance_profile"``: the share that is
            solved within a factor of the least ERT. ``"loss_band"``: quantiles of the loss at
            the recorded steps of each cell. ``"success_map"``: the share of runs that converged
            over the parameters of one rule.
        title : str, optional
            Of the figure.
        **options
            Of that function, such as ``target=``.

        Returns
        -------
        matplotlib.figure.Figure
            ``figure.savefig("name.png")`` writes it.

        Raises
        ------
        ValueError
            There is no such kind; or too many cells, or too few, for that picture.
        """
        from fastopt import plot_statistics

        if kind not in plot_statistics.OF_STUDIES:
            known = ", ".join(map(repr, plot_statistics.OF_STUDIES))
            raise ValueError(f"kind={kind!r}: must be one of {known} (Result.plot)")
        figure: Figure = plot_statistics.OF_STUDIES[kind](self, title=title, **options)
        return figure

    def summary(self) -> str:
        """A table of 80 columns; of a rule's settings the one of the least ERT."""
        from fastopt.study.table import table

        return table(self)

    def __repr__(self) -> str:
        return self.summary()


def _cost(counts: Counts) -> tuple[float, int]:
    """What settings of a rule are ordered by."""
    ert = counts.total_steps / counts.successes if counts.successes else math.inf
    return ert, -counts.successes
