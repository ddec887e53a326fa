"""A study's result as an xarray Dataset."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastopt import memory
from fastopt.kernels.reduction import BINS
from fastopt.runs import Status
from fastopt.study import values
from fastopt.study.cell import Cell
from fastopt.study.measures import STATISTICS, statistics
from fastopt.study.outline import Group
from fastopt.study.reduced import Reduced
from fastopt.study.result import Result

if TYPE_CHECKING:
    import xarray

_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
_OUTCOMES = ("converged", "diverged", "censored", "stopped")

_STATUS = {"status": len(Status)}

# A group, a setting and its runs.
_Held = tuple[Group, Mapping[str, float], Reduced]


class _Axes:
    """The dimensions that all cells are laid out in."""

    def __init__(self, result: Result, cells: Sequence[_Held]):
        self.labels: dict[str, list[Any]] = {"rule": result.rules, "surface": result.surfaces}
        for name in dict.fromkeys(name for _, setting, _ in cells for name in setting):
            points = dict.fromkeys(self._value(group, setting, name) for group, setting, _ in cells)
            own = [group.dimensions.get(name) for group, _, _ in cells]
            # As given, where all have the same; otherwise in order.
            mixed = own.count(own[0]) < len(own)
            self.labels[name] = sorted(points, key=_place) if mixed else list(points)
        if len(result.seeds) > 1:
            self.labels["seed"] = result.seeds
        self.shape = tuple(len(points) for points in self.labels.values())
        self._places = {
            name: {point: k for k, point in enumerate(points)}
            for name, points in self.labels.items()
        }

    @staticmethod
    def _value(group: Group, setting: Mapping[str, float], name: str) -> float:
        """A cell's value of a parameter: nan, always the same one, if its rule has none."""
        return setting.get(name, group.values.get(name, math.nan))

    def place(self, group: Group, setting: Mapping[str, float]) -> tuple[int, ...]:
        """Where a cell stands."""
        own = {name: getattr(group, name) for name in ("rule", "surface", "seed")}
        return tuple(
            places[own[name] if name in own else self._value(group, setting, name)]
            for name, places in self._places.items()
        )


def _place(value: float) -> tuple[bool, float]:
    return math.isnan(value), value


class _Tables:
    """The variables of the Dataset, as they are filled."""

    def __init__(self, result: Result):
        self.result = result
        held = list(result._held.one_by_one())
        self._axes = _Axes(result, held)
        self.coordinates: dict[str, Any] = dict(self._axes.labels)
        self.data: dict[str, Any] = {}
        self.groups = [group for group, _, _ in held]
        self.reduced = [reduced for _, _, reduced in held]
        self.places = [self._axes.place(group, setting) for group, setting, _ in held]
        self.cells = [Cell(*one, result.targets) for one in held]

    def new(self, name: str, more: dict[str, int], dtype: str) -> Any:
        """A table of 0 or nan, by cell and by *more* dimensions of these lengths."""
        shape = (*self._axes.shape, *more.values())
        size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=float))
        memory.require(size, f"{name} of shape {shape}", "take result.counts(...) cell by cell")
        array = np.zeros(shape, dtype) if dtype == "int64" else np.full(shape, np.nan)
        self.data[name] = ([*self._axes.labels, *more], array)
        return array


def to_xarray(result: Result, per_step: bool, per_target_step: bool) -> xarray.Dataset:
    """See :meth:`fastopt.study.Result.to_xarray`."""
    try:
        import xarray
    except ImportError:
        raise ImportError("to_xarray() needs xarray: pip install 'fastopt[xarray]'") from None
    tables = _Tables(result)
    _fill_statistics(tables)
    if per_step:
        _fill_steps(tables)
    if len(result.targets):
        tables.coordinates["target"] = result.targets
        _fill_targets(tables)
    if len(result.targets) and per_target_step:
        _fill_target_steps(tables)
    _fill_losses(tables)
    facts = {"runs": result.runs, "planned": result.planned}
    return xarray.Dataset(tables.data, tables.coordinates, facts)


def _fill_statistics(tables: _Tables) -> None:
    tables.coordinates["status"] = [status.name.lower() for status in Status]
    runs, ended = tables.new("runs", {}, "int64"), tables.new("ended", _STATUS, "int64")
    own = {name: tables.new(name, {}, "float64") for name in STATISTICS}
    for place, row in zip(tables.places, tables.result.rows(), strict=True):
        runs[place] = row["runs"]
        ended[place] = [row[status.name.lower()] for status in Status]
        for name in STATISTICS:
            own[name][place] = row[name]


def _fill_steps(tables: _Tables) -> None:
    steps = _distinct([one.ends.row(status)[0] for one in tables.reduced for status in Status])
    counts = tables.new("counts", _STATUS | {"step": len(steps)}, "int64")
    tables.coordinates["step"] = steps
    bins = _distinct([one.values.row(0)[0] for one in tables.reduced])
    final = tables.new("value_counts", {"value_bin": len(bins)}, "int64")
    low, high = values.edges(bins)
    tables.coordinates["value_bin"] = bins - BINS // 2
    tables.coordinates |= {"value_low": ("value_bin", low), "value_high": ("value_bin", high)}
    for place, one in zip(tables.places, tables.reduced, strict=True):
        for status in Status:
            at, numbers = one.ends.row(status)
            counts[(*place, status, np.searchsorted(steps, at))] = numbers
        at, numbers = one.values.row(0)
        final[(*place, np.searchsorted(bins, at))] = numbers


def _fill_targets(tables: _Tables) -> None:
    more = {"target": len(tables.result.targets)}
    own = {name: tables.new(f"target_{name}", more, "float64") for name in STATISTICS}
    for place, cell in zip(tables.places, tables.cells, strict=True):
        for target in range(more["target"]):
            for name, number in statistics(cell.counts(target)).items():
                own[name][(*place, target)] = number


def _fill_target_steps(tables: _Tables) -> None:
    targets = range(len(tables.result.targets))
    steps = _distinct([cell.counts(target).steps for cell in tables.cells for target in targets])
    more = {"target": len(targets), "outcome": len(_OUTCOMES), "target_step": len(steps)}
    table = tables.new("target_counts", more, "int64")
    tables.coordinates |= {"outcome": list(_OUTCOMES), "target_step": steps}
    for place, cell in zip(tables.places, tables.cells, strict=True):
        for target in targets:
            counts = cell.counts(target)
            at = np.searchsorted(steps, counts.steps)
            for outcome, name in enumerate(_OUTCOMES):
                table[(*place, target, outcome, at)] = getattr(counts, name)


def _fill_losses(tables: _Tables) -> None:
    records = _distinct([np.array(group.records, np.int64) for group in tables.groups])
    if not len(records):
        return
    tables.coordinates |= {"record_step": records, "quantile": list(_SHARES)}
    more = {"record_step": len(records), "quantile": len(_SHARES)}
    losses = tables.new("loss", more, "float64")
    for place, group, cell in zip(tables.places, tables.groups, tables.cells, strict=True):
        if group.records:
            steps, found = cell.loss_quantiles(_SHARES)
            losses[(*place, np.searchsorted(records, steps))] = found


def _distinct(arrays: Sequence[Any]) -> Any:
    return np.unique(np.concatenate([np.zeros(0, np.int64), *arrays]))
