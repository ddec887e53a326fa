"""A study's result as an xarray Dataset."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastopt import memory
from fastopt.kernels.reduction import BINS
from fastopt.runs import Status
from fastopt.study import values
from fastopt.study.measures import STATISTICS, statistics
from fastopt.study.result import Cell, Result, target_counts

if TYPE_CHECKING:
    import xarray

_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


class _Axes:
    """The dimensions that all cells are laid out in."""

    def __init__(self, result: Result, cells: Sequence[Cell]):
        self.labels: dict[str, list[Any]] = {"rule": result.rules, "surface": result.surfaces}
        for name in dict.fromkeys(name for cell in cells for name in cell.setting):
            points = dict.fromkeys(self._value(cell, name) for cell in cells)
            own = [cell.group.dimensions.get(name) for cell in cells]
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
    def _value(cell: Cell, name: str) -> float:
        """A cell's value of a parameter: nan, always the same one, if its rule has none."""
        return cell.setting.get(name, cell.group.values.get(name, math.nan))

    def place(self, cell: Cell) -> tuple[int, ...]:
        """Where a cell stands."""
        group = {name: getattr(cell.group, name) for name in ("rule", "surface", "seed")}
        return tuple(
            places[group[name] if name in group else self._value(cell, name)]
            for name, places in self._places.items()
        )


def _place(value: float) -> tuple[bool, float]:
    return math.isnan(value), value


def to_xarray(result: Result, per_step: bool) -> xarray.Dataset:
    """See :meth:`fastopt.study.Result.to_xarray`."""
    try:
        import xarray
    except ImportError:
        raise ImportError("to_xarray() needs xarray: pip install 'fastopt[xarray]'") from None
    cells = list(result.cells())
    axes = _Axes(result, cells)
    data: dict[str, Any] = {}
    coordinates: dict[str, Any] = dict(axes.labels)
    names = list(axes.labels)

    def table(name: str, more: dict[str, int], dtype: str) -> Any:
        shape = (*axes.shape, *more.values())
        size = np.dtype(dtype).itemsize * int(np.prod(shape, dtype=float))
        memory.require(size, f"{name} of shape {shape}", "take result.counts(...) cell by cell")
        array = np.zeros(shape, dtype) if dtype == "int64" else np.full(shape, np.nan)
        data[name] = ([*names, *more], array)
        return array

    runs, ended = table("runs", {}, "int64"), table("ended", {"status": len(Status)}, "int64")
    coordinates["status"] = [status.name.lower() for status in Status]
    rows = result.rows()
    tables = {name: table(name, {}, "float64") for name in STATISTICS}
    for cell, row in zip(cells, rows, strict=True):
        place = axes.place(cell)
        runs[place] = row["runs"]
        ended[place] = [row[status.name.lower()] for status in Status]
        for name in STATISTICS:
            tables[name][place] = row[name]
    if per_step:
        steps = _distinct([cell.reduced.ends.row(s)[0] for cell in cells for s in Status])
        counts = table("counts", {"status": len(Status), "step": len(steps)}, "int64")
        coordinates["step"] = steps
        bins = _distinct([cell.reduced.values.row(0)[0] for cell in cells])
        final = table("value_counts", {"value_bin": len(bins)}, "int64")
        low, high = values.edges(bins)
        coordinates["value_bin"] = bins - BINS // 2
        coordinates |= {"value_low": ("value_bin", low), "value_high": ("value_bin", high)}
        for cell in cells:
            place = axes.place(cell)
            for status in Status:
                at, numbers = cell.reduced.ends.row(status)
                counts[(*place, status, np.searchsorted(steps, at))] = numbers
            at, numbers = cell.reduced.values.row(0)
            final[(*place, np.searchsorted(bins, at))] = numbers
    if len(result.targets):
        coordinates["target"] = result.targets
        more = {"target": len(result.targets)}
        of_target = {name: table(f"target_{name}", more, "float64") for name in STATISTICS}
        for cell in cells:
            for k in range(len(result.targets)):
                for name, number in statistics(target_counts(cell, k)).items():
                    of_target[name][(*axes.place(cell), k)] = number
    records = _distinct([np.array(cell.group.records, np.int64) for cell in cells])
    if len(records):
        coordinates |= {"record_step": records, "quantile": list(_SHARES)}
        more = {"record_step": len(records), "quantile": len(_SHARES)}
        losses = table("loss", more, "float64")
        for cell in cells:
            for k, step in enumerate(cell.group.records):
                found = values.quantiles(*cell.reduced.losses.row(k), _SHARES)
                losses[(*axes.place(cell), int(np.searchsorted(records, step)))] = found
    return xarray.Dataset(data, coordinates, {"runs": result.runs, "planned": result.planned})


def _distinct(arrays: Sequence[Any]) -> Any:
    return np.unique(np.concatenate([np.zeros(0, np.int64), *arrays]))
