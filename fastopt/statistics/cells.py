"""Counts of several rules on several surfaces, as a study keeps them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from fastopt.checks import Floats
from fastopt.runs import Runs
from fastopt.statistics.counts import Counts, Integers

_MOST_NAMED = 3


class Cell(Protocol):
    """The runs of one rule, with one setting of its parameters, on one surface."""

    @property
    def rule(self) -> str:
        """The label of the rule."""

    @property
    def surface(self) -> str:
        """The label of the surface."""

    @property
    def setting(self) -> Mapping[str, float]:
        """The parameters of which the rule has several values."""

    @property
    def dim(self) -> int:
        """Number of coordinates."""

    @property
    def runs(self) -> int:
        """Number of runs."""

    @property
    def max_steps(self) -> int:
        """The steps that they had."""

    @property
    def excess(self) -> bool:
        """Whether losses are counted from the known minimum of the surface."""

    def counts(self, target: int | None = None) -> Counts:
        """How many ended how at which step."""

    def loss_quantiles(self, shares: Sequence[float]) -> tuple[Integers, Floats]:
        """The recorded steps (k,), and quantiles (k, shares) of the losses there."""

    def rounding(self) -> float:
        """Losses up to this are made of rounding."""


class Cells(ABC):
    """Counts by rule, setting and surface. A study's Result is such."""

    targets: Floats

    @abstractmethod
    def cells(self) -> Sequence[Cell]:
        """All cells: one for each rule, setting and surface."""


class Chosen(Cells):
    """Some cells of those that have these targets."""

    def __init__(self, cells: Sequence[Cell], targets: Floats):
        self._cells, self.targets = cells, targets

    def cells(self) -> Sequence[Cell]:
        return self._cells


def as_counts(owner: str, results: Runs | Counts | Cells, target: int | None = None) -> Counts:
    """*results* as counts, for a statistic named *owner*."""
    if isinstance(results, Runs):
        return Counts.of(results, target)
    if isinstance(results, Cells):
        return the_cell(owner, results).counts(target)
    if not isinstance(results, Counts):
        raise TypeError(
            f"a {type(results).__name__}: must be Runs, as fo.run gives them, "
            f"fo.statistics.Counts, or a study's Result ({owner})"
        )
    if target is not None:
        raise ValueError(
            f"target={target!r}: counts are those of one target already; leave it out ({owner})"
        )
    return results


def the_cell(owner: str, results: Cells) -> Cell:
    """The only cell that there is."""
    cells = results.cells()
    if len(cells) != 1:
        raise ValueError(
            f"a Result of {len(cells):,} cells ({_named(labels(cells))}): must be of one; "
            f"result.select(rule, surface, ...) takes it ({owner})"
        )
    return cells[0]


def labels(cells: Sequence[Cell]) -> list[str]:
    """A name for each cell: its rule, and what else tells it from others."""
    several = len({cell.surface for cell in cells}) > 1
    return [
        f"{solver} on {cell.surface}" if several else solver
        for solver, cell in zip(solvers(cells), cells, strict=True)
    ]


def solvers(cells: Sequence[Cell]) -> list[str]:
    """The name of each cell's solver: its rule, and those parameters that vary on a surface."""
    points: dict[tuple[str, str], dict[str, dict[float, None]]] = {}
    for cell in cells:
        own = points.setdefault((cell.rule, cell.surface), {})
        for name, value in cell.setting.items():
            own.setdefault(name, {})[value] = None
    varying: dict[str, dict[str, set[float]]] = {}
    for (rule, _), own in points.items():
        for name, values in own.items():
            if len(values) > 1:
                varying.setdefault(rule, {}).setdefault(name, set()).update(values)
    return [_solver(cell, varying.get(cell.rule, {})) for cell in cells]


def _solver(cell: Cell, varying: Mapping[str, set[float]]) -> str:
    parts = [f"{name}={_short(cell.setting[name], varying[name])}" for name in varying]
    return f"{cell.rule}({', '.join(parts)})" if parts else cell.rule


def _short(value: float, among: set[float]) -> str:
    """The value with as many digits as tell it from the others."""
    for digits in (4, 8):
        if len({format(other, f".{digits}g") for other in among}) == len(among):
            return format(value, f".{digits}g")
    return repr(value)


def grouped(owner: str, results: Cells) -> dict[str, dict[str, Cell]]:
    """For each surface its cells, by the name of their solver; all with some runs."""
    cells = results.cells()
    found: dict[str, dict[str, Cell]] = {}
    for solver, cell in zip(solvers(cells), cells, strict=True):
        if not cell.runs:
            raise ValueError(
                f"{solver} on {cell.surface}: there are no runs yet; run the study to its end "
                f"({owner})"
            )
        found.setdefault(cell.surface, {})[solver] = cell
    return found


def by_surface(owner: str, results: Cells) -> dict[str, dict[str, Cell]]:
    """The same, where each solver must be on all surfaces."""
    found = grouped(owner, results)
    names = {solver: None for own in found.values() for solver in own}
    for surface, own in found.items():
        for solver in names:
            if solver not in own:
                raise ValueError(
                    f"{solver}: not on {surface}, where the settings are others; "
                    "result.tuned() takes one of each rule, result.select(surface=...) one "
                    f"surface ({owner})"
                )
    return found


def targets_of(results: Cells, target: int | None) -> list[int | None]:
    """That one target; or by default all, or ``stop=`` where there are none."""
    return [target] if target is not None else [*range(len(results.targets))] or [None]


def refuse_unpaired(owner: str, name: str, results: object, record: bool = False) -> None:
    """Raise if these are counts, of which nobody knows which start they belong to."""
    if isinstance(results, Counts):
        raise TypeError(f"{name} is a Counts: must be Runs ({owner})")
    if isinstance(results, Cells):
        more = ", record=fo.Record(every=1)" if record else ""
        instead = "" if record else ", or study.compare(rule, other, surface), of all starts"
        raise TypeError(
            f"{name} is a {type(results).__name__}, which keeps no single runs: must be Runs from "
            f"the same starts; take study.rerun(rule, surface, range(1000){more}) of each rule"
            f"{instead} ({owner})"
        )


def _named(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:_MOST_NAMED]) + (", ..." if len(every) > _MOST_NAMED else "")
