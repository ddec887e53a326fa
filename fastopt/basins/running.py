"""Batches of any length, run part by part and entered in a census."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fastopt.basins.census import Census
from fastopt.checks import real, whole
from fastopt.ensembles import RandomQuadratics
from fastopt.progress import Bar
from fastopt.rules import Rule
from fastopt.run import run
from fastopt.runs import Runs
from fastopt.starts import Starts
from fastopt.stopping import Record, Stop
from fastopt.surfaces import Surface

# Numbers in memory for the starts of a part, and the most starts.
_ROOM = 1 << 21
_MOST_STARTS = 1 << 18
# The tolerance, as a share of the longest side of the surface's bounds.
_TOLERANCE = 1e-4
_LONGEST = 64


@dataclass(frozen=True)
class Settings:
    """How the starts of a map are run, and how their ends are told apart.

    Parameters
    ----------
    max_steps : int, default 10,000
        The most steps that a run takes.
    stop : Stop, default ``Stop(gradient=1e-8)``
        When a run has converged.
    tolerance : float, optional
        Ends within this of each other, in every coordinate, are one attractor; in units of x.
        By default 1e-4 of the longest side of the surface's bounds, or twice ``stop.distance``
        if that is more.
    longest_cycle : int, default 64
        The longest period of cycles that are looked for in the runs that do not converge,
        which are run once more for it; 0: they are left unresolved.
    dtype : {"float64", "float32"}, default "float64"
    threads : int, optional
        By default one for each processor.
    progress : bool, default False
    """

    max_steps: int = 10_000
    stop: Stop = field(default_factory=lambda: Stop(gradient=1e-8))
    tolerance: float | None = None
    longest_cycle: int = _LONGEST
    dtype: DTypeLike = "float64"
    threads: int | None = None
    progress: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.stop, Stop):
            raise TypeError(
                f"stop={self.stop!r}: must say when a run has converged, such as "
                "fo.Stop(gradient=1e-8)"
            )
        if self.tolerance is not None:
            real("basins", "tolerance", self.tolerance, 0, inclusive=False)
        whole("basins", "longest_cycle", self.longest_cycle, 0, 10_000)
        whole("basins", "max_steps", self.max_steps, 0)

    def census(self, surface: Surface, spacing: float) -> Census:
        """An empty census for runs of these settings."""
        tolerance = self.tolerance
        if tolerance is None:
            side = float(np.ptp(surface.bounds, axis=1).max())
            # Ends all around a minimum are then in cells that touch.
            tolerance = max(_TOLERANCE * side, 2 * (self.stop.distance or 0.0))
        # A cycle is looked for in two rounds.
        longest = min(self.longest_cycle, self.max_steps // 2)
        limit, above = self.stop.gradient or 0.0, self.stop.value or 0.0
        return Census(surface, tolerance, limit, spacing, longest, above)

    def run(self, rule: Rule, surface: Surface, starts: Any, record: Record | None = None) -> Runs:
        """Run these starts."""
        return run(
            rule,
            surface,
            starts,
            max_steps=self.max_steps,
            stop=self.stop,
            record=record,
            dtype=self.dtype,
            threads=self.threads,
        )

    def again(
        self, rule: Rule, surface: Surface, starts: NDArray[np.float64]
    ) -> Callable[[NDArray[np.int64], int], Runs]:
        """What makes some of the runs of *starts* again, with their last iterates recorded."""

        def make(which: NDArray[np.int64], last: int) -> Runs:
            steps = range(max(self.max_steps - last + 1, 0), self.max_steps + 1)
            return self.run(rule, surface, starts[which], Record(steps=steps))

        return make

    @property
    def bytes_of_start(self) -> int:
        """What is kept of a start: its label and its steps."""
        return 4 + np.dtype(self.step_type).itemsize

    @property
    def bytes_of_pixel(self) -> int:
        """What is kept of a pixel: its value too."""
        return self.bytes_of_start + np.dtype(self.dtype).itemsize

    @property
    def step_type(self) -> type[np.signedinteger[Any]]:
        """The integers that count the steps of a run."""
        return np.int32 if self.max_steps <= np.iinfo(np.int32).max else np.int64


def check_rule(rule: Any, surface: Any, owner: str) -> None:
    """Refuse what has no basins: several rules at once, and random ones."""
    check_single(surface, owner)
    if not isinstance(rule, Rule):
        run(rule, surface, np.zeros((0, 1)))  # says what is wrong
    if any(isinstance(number, np.ndarray) for number in rule.numbers):
        raise ValueError(
            f"{rule!r}: must have one value of each parameter ({owner}); fo.parameter_map takes "
            "a plane of two parameters"
        )
    if rule.parts().draws:
        raise ValueError(
            f"{rule!r} draws random numbers: its ends do not depend on the start alone, so that "
            f"it has no basins ({owner})"
        )


def check_single(surface: Any, owner: str) -> None:
    """Refuse what is no surface, and an ensemble, whose members have attractors of their own."""
    if isinstance(surface, RandomQuadratics):
        raise ValueError(
            f"{surface!r}: is an ensemble of {surface.count:,}: must be one surface ({owner})"
        )
    if not isinstance(surface, Surface):
        hint = " (call the class)" if isinstance(surface, type) else ""
        raise TypeError(f"surface={surface!r}: must be one such as fo.Himmelblau(){hint} ({owner})")


@dataclass
class Sweep:
    """The runs of one rule from many starts, part by part."""

    rule: Rule
    surface: Surface
    settings: Settings
    seconds: float = 0.0

    def parts(
        self, make: Callable[[int, int], Any], count: int, unit: int, census: Census
    ) -> Iterator[tuple[slice, Runs, NDArray[np.int32]]]:
        """Run *count* starts, *unit* of them or a multiple at a time.

        *make* gives the starts a to b - 1 of the batch. Yields, of each part, its place in
        the batch, its runs, and their entries in the census.
        """
        length = max(min(_ROOM // self.surface.dim, _MOST_STARTS) // unit, 1) * unit
        bar = Bar(self.settings.progress)
        try:
            for a in range(0, count, length):
                b = min(a + length, count)
                starts = make(a, b)
                runs = self.settings.run(self.rule, self.surface, starts)
                self.seconds += runs.seconds
                flat = _flattened(runs)
                again = self.settings.again(self.rule, self.surface, _Rows(starts))  # type: ignore[arg-type]
                yield slice(a, b), flat, census.enter(flat, again)
                bar.show(b / count, f"of {count:,} runs")
        finally:
            bar.close()


class _Rows:
    """Rows of a batch of starts, lazy or not, by number."""

    def __init__(self, starts: Any):
        self._starts = starts
        self._points: NDArray[np.float64] | None = None

    def __getitem__(self, which: NDArray[np.int64]) -> NDArray[np.float64]:
        if self._points is None:
            points = np.asarray(self._starts)
            self._points = points.reshape(-1, points.shape[-1])
        return self._points[which]


def _flattened(runs: Runs) -> Runs:
    """The same with a batch of one axis."""
    from dataclasses import replace

    return replace(
        runs,
        x=runs.x.reshape(-1, runs.x.shape[-1]),
        fun=runs.fun.reshape(-1),
        grad_norm=runs.grad_norm.reshape(-1),
        steps=runs.steps.reshape(-1),
        status=runs.status.reshape(-1),
    )


def as_starts(starts: Any, surface: Surface) -> tuple[Callable[[int, int], Any], int]:
    """What gives starts a to b - 1 of a cloud, and how many there are."""
    if isinstance(starts, Starts):
        if starts.dim != surface.dim:
            run_shape = (*starts.shape, starts.dim)
            raise ValueError(
                f"starts has shape {run_shape}: the last axis must be {surface.dim} long, the "
                f"number of coordinates of {surface!r}"
            )
        return starts.chunk, starts.size
    points = surface.points(starts).reshape(-1, surface.dim)
    return (lambda a, b: points[a:b]), len(points)


def spacing_of(starts: Any, n: int, surface: Surface) -> float:
    """About the distance between neighbouring starts of a cloud: of as many on a grid."""
    low = getattr(starts, "low", surface.bounds[:, 0])
    high = getattr(starts, "high", surface.bounds[:, 1])
    sides = np.maximum(np.broadcast_to(high - low, surface.dim), np.finfo(np.float64).tiny)
    return float(np.exp((np.log(sides).sum() - np.log(n)) / surface.dim))
