"""One cell of a study: the exact counts of its runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.checks import whole
from fastopt.kernels.reduction import FASTEST, HIGHEST, LOWEST, SLOWEST, SOONEST
from fastopt.runs import Status
from fastopt.statistics import Counts
from fastopt.study import values
from fastopt.study.outline import Group
from fastopt.study.reduced import HIT_ROWS, Reduced

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

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


class Cell:
    """The runs of one rule, surface and setting; made by :meth:`Result.cells`.

    Attributes
    ----------
    rule, surface : str
        Their labels.
    setting : dict of str to float
        The parameters along the rule's dimensions.
    dim : int
        Number of coordinates.
    runs, max_steps : int
        How many runs, and the steps that they had.
    excess : bool
        Whether values are counted from the known minimum of the surface.
    """

    def __init__(
        self, group: Group, setting: Mapping[str, float], reduced: Reduced, targets: Floats
    ):
        self.rule, self.surface, self.setting = group.rule, group.surface, dict(setting)
        self.dim, self.excess = group.dim, group.excess
        self.runs, self.max_steps = reduced.runs, group.shape.max_steps
        self._group, self._reduced, self._targets = group, reduced, targets

    def counts(self, target: int | None = None) -> Counts:
        """How many runs ended how at which step; see :meth:`Result.counts`."""
        if target is None:
            ends = [self._reduced.ends.row(status) for status in Status]
            nobody = (np.zeros(0, np.int64),) * 2
            kinds = [ends[Status.CONVERGED], ends[Status.DIVERGED], ends[Status.MAX_STEPS], nobody]
        else:
            place = self._target(target)
            hits, *ends = [self._reduced.hits.row(HIT_ROWS * place + k) for k in range(HIT_ROWS)]
            kinds = [hits, ends[Status.DIVERGED], ends[Status.MAX_STEPS], ends[Status.CONVERGED]]
        steps = np.unique(np.concatenate([at for at, _ in kinds]))
        columns = np.zeros((len(kinds), len(steps)), np.int64)
        for column, (at, numbers) in zip(columns, kinds, strict=True):
            column[np.searchsorted(steps, at)] = numbers
        return Counts(steps, *columns)

    def _target(self, target: int) -> int:
        if not len(self._targets):
            raise ValueError(
                f"target={target!r}: this study has no targets; make it with "
                "fo.Study(..., targets=[...]) (Result)"
            )
        return whole("Result", "target", target, 0, len(self._targets) - 1)

    def value_counts(self) -> tuple[Floats, Floats, Integers]:
        """A histogram of the final values; see :meth:`Result.value_counts`."""
        bins, counts = self._reduced.values.row(0)
        return *values.edges(bins), counts

    def loss_quantiles(
        self, shares: Sequence[float] = (0.05, 0.25, 0.5, 0.75, 0.95)
    ) -> tuple[Integers, Floats]:
        """Quantiles of the values at each recorded step; see :meth:`Result.loss_quantiles`."""
        asked = np.asarray(shares, np.float64)
        if asked.ndim != 1 or not ((asked >= 0) & (asked <= 1)).all():
            raise ValueError(
                f"shares={shares!r}: must be numbers from 0 to 1 (Result.loss_quantiles)"
            )
        steps = self._group.records
        if not steps:
            raise ValueError("nothing was recorded: make the study with record=fo.Record(...)")
        rows = [
            values.quantiles(*self._reduced.losses.row(k), asked.tolist())
            for k in range(len(steps))
        ]
        return np.array(steps, np.int64), np.array(rows)

    def rounding(self) -> float:
        """Values above the minimum that are no more than this are made of rounding."""
        return 32 * float(np.finfo(self._group.dtype).eps) * abs(self._group.shape.offset)

    def extremes(self, end: str, by: str) -> Extremes:
        """The runs at the end of an order; see :meth:`Result.worst`."""
        if (end, by) not in _ORDERS:
            known = " or ".join(repr(b) for e, b in _ORDERS if e == end)
            raise ValueError(f"by={by!r}: must be {known} (Result.{end})")
        order = _ORDERS[end, by]
        starts, keys = self._reduced.order(order)
        if by != "value":
            return Extremes(starts, keys if order == SLOWEST else -keys)
        bits = ~keys if order == LOWEST else keys
        return Extremes(starts, np.where(bits >= 0, bits, bits ^ _MAGNITUDE).view(np.float64))

    def __repr__(self) -> str:
        setting = "".join(f", {name}={value:g}" for name, value in self.setting.items())
        return f"Cell({self.rule} on {self.surface}{setting}: {self.runs:,} runs)"


class Held:
    """The counts of all cells, by group and setting.

    Parameters
    ----------
    groups : sequence of Group
    cells : mapping of (int, int) to Reduced
        By the number of the group and of the setting; those that are not there have no runs.
    """

    def __init__(self, groups: Sequence[Group], cells: Mapping[tuple[int, int], Reduced]):
        self.groups, self._cells = groups, dict(cells)

    def of(self, numbers: Sequence[int], setting: int) -> Reduced:
        """A setting's runs in these groups, which differ in their seeds, together."""
        shape = self.groups[numbers[0]].shape
        parts = [self._cells.get((number, setting)) for number in numbers]
        return Reduced.merged([part or Reduced.nothing(shape) for part in parts], shape)

    def one_by_one(self) -> Iterator[tuple[Group, dict[str, float], Reduced]]:
        """Group, setting and runs of each cell, seeds apart, in the order of the plan."""
        for number, group in enumerate(self.groups):
            for setting, point in enumerate(group.points()):
                yield group, point, self.of([number], setting)

    def parts(
        self, places: Mapping[tuple[int, int], tuple[int, int]]
    ) -> dict[tuple[int, int], Reduced]:
        """The cells at the values of *places*, by its keys."""
        return {new: self._cells[old] for new, old in places.items() if old in self._cells}

    @property
    def runs(self) -> int:
        """How many there are in all."""
        return sum(cell.runs for cell in self._cells.values())
