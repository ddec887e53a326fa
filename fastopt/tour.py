"""The tour: eight rules on four surfaces, one table and pictures."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

import fastopt as fo
from fastopt import plot, tuning
from fastopt.plot import Curve
from fastopt.statistics.text import percent
from fastopt.tuning import GRADIENT, MAX_STEPS, SETTINGS, UNTUNED_MAX_STEPS, Falling

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_AT_MINIMUM = 1e-3

# Of the picture of paths: those of Saito, "Deep Learning from Scratch" (2016), section 6.1,
# and for the rules that are not there rates that show as much of their character.
_PATH_RATES = {
    "gradient_descent": 0.95,
    "momentum": 0.1,
    "ema_momentum": 1.0,
    "nesterov": 0.1,
    "adagrad": 1.5,
    "adadelta": 50.0,
    "rmsprop": 0.3,
    "adam": 0.3,
}
_PATH_STEPS = 40
_BASINS_RATE = 0.01


# -- running -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What came of one rule on one surface.

    Shares are of all starts. ``median_steps`` and ``p90_steps`` are the steps by which half
    and 90% of all starts had converged, None where fewer did. ``at_minimum`` is the share
    that ended within 0.001 of a global minimum, None where none is known.
    """

    surface: str
    rule: str
    learning_rate: float | None
    falls_over: int | None
    tuned: bool
    max_steps: int
    success: float
    at_minimum: float | None
    median_steps: int | None
    p90_steps: int | None
    diverged: float
    start_steps: int
    seconds: float
    start_steps_per_second: float


@dataclass
class Tour:
    """What to run, and what came of it so far."""

    rules: Sequence[str]
    surfaces: Sequence[str]
    starts: int
    seed: int = 0
    threads: int | None = None
    progress: bool = False
    rows: list[Row] = field(default_factory=list)
    curves: dict[str, dict[str, Curve]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """The pairs of surface and rule, in the order in which they run."""
        return itertools.product(self.surfaces, self.rules)

    def visit(self, surface_name: str, rule_name: str) -> Row:
        """Run one rule on one surface, and keep what the table and the pictures need."""
        surface = fo.surfaces.get(surface_name)
        low, high = surface.bounds.T
        rate, tuned = tuning.learning_rate(rule_name, surface)
        max_steps = MAX_STEPS[surface_name] if tuned else UNTUNED_MAX_STEPS
        rule, stop = tuning.make_rule(rule_name, rate), fo.Stop(gradient=GRADIENT)
        # Whatever is compiled at first use is compiled now, so that the rate below is the engine's.
        fo.run(rule, surface, [surface.usual_start], max_steps=1, stop=stop)
        runs = fo.run(
            rule,
            surface,
            fo.starts.Uniform(low, high, self.starts, self.seed),
            max_steps=max_steps,
            stop=stop,
            threads=self.threads,
            progress=self.progress,
        )
        row = _row(rule_name, runs, rate, tuned)
        self.rows.append(row)
        self.curves.setdefault(surface_name, {})[rule_name] = plot.success_curve(runs)
        return row

    def pictures(self) -> Iterator[tuple[str, Figure]]:
        """The pictures, as file name and figure."""
        yield "paths.png", draw_paths(self.rules)
        panels = {
            type(fo.surfaces.get(surface)).__name__: {
                type(fo.rules.get(rule)).__name__: curve for rule, curve in curves.items()
            }
            for surface, curves in self.curves.items()
        }
        title = f"Success against steps: {self.starts:,} starts, uniform over the bounds"
        yield "success.png", plot.success_curves(panels, title)
        yield "basins.png", draw_basins(self.threads)
        yield "plane.png", draw_plane(self.threads)


def tour_rules() -> list[str]:
    """The names of the rules that the tour shows: those that are tuned, in their order."""
    return list(SETTINGS)


def _row(name: str, runs: fo.Runs, rate: float | Falling | None, tuned: bool) -> Row:
    success, surface = runs.success, runs.surface
    steps = np.where(success, runs.steps, np.iinfo(np.int64).max)
    quantiles = np.quantile(steps, [0.5, 0.9], method="inverted_cdf")
    median, p90 = (int(q) if q <= runs.max_steps else None for q in quantiles)
    at_minimum = None
    if isinstance(surface, fo.surfaces.Surface) and len(surface.minima):
        with np.errstate(invalid="ignore", over="ignore"):  # diverged runs are far out
            distances = [np.linalg.norm(runs.x - m, axis=-1) for m in surface.minima]
        at_minimum = float((np.min(distances, axis=0) <= _AT_MINIMUM).mean())
    return Row(
        surface=surface.name,
        rule=name,
        learning_rate=rate.rate if isinstance(rate, Falling) else rate,
        falls_over=rate.over if isinstance(rate, Falling) else None,
        tuned=tuned,
        max_steps=runs.max_steps,
        success=float(success.mean()),
        at_minimum=at_minimum,
        median_steps=median,
        p90_steps=p90,
        diverged=float((runs.status == fo.Status.DIVERGED).mean()),
        start_steps=int(runs.steps.sum()),
        seconds=runs.seconds,
        start_steps_per_second=runs.rate,
    )


def draw_paths(rules: Sequence[str]) -> Figure:
    """The first steps of each rule on the bowl, from its usual start."""
    bowl = fo.surfaces.get("bowl")
    panels, notes = {}, {}
    for name in rules:
        rate = _PATH_RATES.get(name) or tuning.learning_rate(name, bowl)[0]
        rule = tuning.make_rule(name, rate)
        label = type(rule).__name__
        panels[label] = runs = fo.run(
            rule,
            bowl,
            [bowl.usual_start],
            max_steps=_PATH_STEPS,
            stop=None,
            record=fo.Record(every=1),
        )
        at = f"rate {rate:g}, " if isinstance(rate, float) else ""
        notes[label] = f"{at}{runs.steps[0]} steps, f = {runs.fun[0]:.2g}"
    start = ", ".join(f"{number:g}" for number in bowl.usual_start)
    return plot.paths(panels, notes, f"The first {_PATH_STEPS} steps from ({start}) on x²/20 + y²")


def draw_basins(threads: int | None = None, side: int = 800) -> Figure:
    """Where momentum ends on Himmelblau, by start: at this rate its basins are fractal."""
    rule = fo.rules.get("momentum", learning_rate=_BASINS_RATE)
    surface = fo.surfaces.get("himmelblau")
    basins = fo.basin_map(rule, surface, shape=side, max_steps=2000, threads=threads)
    return basins.plot()


def draw_plane(threads: int | None = None, side: int = 200) -> Figure:
    """The steps of momentum on the bowl, over learning rate and momentum."""
    bowl = fo.surfaces.get("bowl")
    over = {
        "learning_rate": np.geomspace(1e-3, 10, side),
        "momentum": np.linspace(0.0, 0.99, side),
    }
    rule = type(fo.rules.get("momentum"))
    plane = fo.parameter_map(rule, bowl, bowl.usual_start, over, max_steps=5000, threads=threads)
    return plane.plot()


# -- the table ---------------------------------------------------------------------------

HEADER = (
    f"{'':18}{'rate':>8} {'success':>9}{'at min.':>9}{'median':>8}{'90%':>8}{'diverged':>10}"
    f"{'M/s':>8}"
)


def line(row: Row) -> str:
    """A row of the table."""
    rate = "" if row.learning_rate is None else f"{row.learning_rate:g}"
    mark = "+" if not row.tuned else "*" if row.falls_over else " "
    shares = [percent(share) for share in (row.success, row.at_minimum, row.diverged)]
    median, p90 = ("-" if s is None else f"{s:,}" for s in (row.median_steps, row.p90_steps))
    return (
        f"  {row.rule:16}{rate:>8}{mark}{shares[0]:>9}{shares[1]:>9}{median:>8}{p90:>8}"
        f"{shares[2]:>10}{row.start_steps_per_second / 1e6:>8,.0f}"
    )


def footnotes(rows: Sequence[Row]) -> list[str]:
    """What the columns and the marks mean."""
    notes = [
        f"success      the gradient's norm fell to {GRADIENT:g}, at whatever stationary point",
        f"at min.      ended within {_AT_MINIMUM:g} of a global minimum",
        "median, 90%  steps by which so many of all starts had converged; - if fewer did",
        "M/s          million start-steps a second: one run advanced by one step is one",
    ]
    if any(row.falls_over for row in rows):
        notes += [
            "rate *       falls by a fixed share at each step: at a constant rate this rule",
            "             ends in cycles around the minimum (fastopt/tuning.py has the shares)",
        ]
    if any(not row.tuned for row in rows):
        notes += [
            "rate +       not tuned beforehand: a quick search just now, and at most "
            f"{UNTUNED_MAX_STEPS:,}",
            "             steps",
        ]
    return notes
