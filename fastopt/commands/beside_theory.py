"""What ``fastopt stats --theory`` adds: losses and halting times beside those of theory."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import fastopt as fo
from fastopt import theory
from fastopt.checks import Floats
from fastopt.cli import Options, refusals
from fastopt.commands.conditions import START_STD, chosen_noise, given_stop, run_as_chosen
from fastopt.ensembles import Objective
from fastopt.noise.normal import Gaussian

# Steps of a picture, between which its curves are straight.
_DRAWN = 40
_NOTES = """\
mean, s.e.   of the losses of all runs, and its standard error
theory       the mean over starts, eigenvalues and noise"""
_OF_LIMIT = ", these by\n             their law in the limit of many, not that of a matrix"
_OF_MATRIX = ", without\n             the rarest matrix in 10,000"


class Row(NamedTuple):
    """The losses of all runs at a step, their mean, and that by theory."""

    step: int
    q05: float
    median: float
    q95: float
    mean: float
    standard_error: float
    theory: float


class Beside(NamedTuple):
    """Of one rule: what was measured, and what theory says."""

    rows: list[Row]
    loss: Floats
    """By theory, at every step from 0."""
    halting_time: float | None
    """By theory; None where it is known for no criterion that was given."""
    runs: fo.Runs
    """That took all steps."""


def predict(
    options: Options, rules: dict[str, fo.rules.Rule], surface: Objective
) -> dict[str, tuple[Floats, float | None]]:
    """The mean loss of each rule at each step, and when it halts; refused before any run."""
    with refusals(options.command):
        if options.start is not None:
            raise ValueError("--theory: must have starts that are drawn, so --start cannot be")
        given = {**_eigenvalues(surface), **_noise(options)}
        limits = _limits(given_stop(options))
        for rule in rules.values():  # what cannot be is refused before what takes long
            theory.expected_loss(rule, steps=0, **given)
        return {
            name: (
                theory.expected_loss(rule, steps=options.max_steps, **given),
                _halting_time(rule, limits, options.max_steps, given),
            )
            for name, rule in rules.items()
        }


def _eigenvalues(surface: Objective) -> dict[str, Any]:
    """The spectrum, and how far from the minimum the starts are."""
    if isinstance(surface, fo.RandomQuadratics):
        return {"spectrum": surface.spectrum, "dim": surface.dim, "start_std": START_STD}
    if isinstance(surface, fo.Quadratic):
        # Starts are uniform on the bounds, which are as far from the minimum to all sides.
        std = float(np.ptp(surface.bounds[0])) / math.sqrt(12.0)
        return {"spectrum": np.linalg.eigvalsh(surface.matrix), "start_std": std}
    raise ValueError(f"--theory: the surface must be random_quadratics or quadratic: {surface!r}")


def _noise(options: Options) -> dict[str, Any]:
    noise = chosen_noise(options)
    if noise is None:
        return {}
    if not isinstance(noise, Gaussian) or np.ndim(noise.std):
        raise ValueError(f"--theory: --noise {options.noise}: must be such as gaussian:std=0.1")
    return {"noise_std": noise.std, "covariance": noise.covariance}


def _limits(stop: fo.Stop | None) -> dict[str, float]:
    """The criteria that theory knows; none if there are others, which may be met before."""
    if stop is None or stop.distance is not None:
        return {}
    limits = {"gradient": stop.gradient, "value": stop.value}
    return {name: limit for name, limit in limits.items() if limit is not None}


def _halting_time(
    rule: fo.rules.Rule, limits: dict[str, float], max_steps: int, given: dict[str, Any]
) -> float | None:
    times = [
        theory.halting_time(rule, max_steps=max_steps, **(given | {name: limit}))
        for name, limit in limits.items()
    ]
    return min(times, default=None)


def measure(
    options: Options,
    rule: fo.rules.Rule,
    surface: Objective,
    starts: Any,
    predicted: tuple[Floats, float | None],
) -> Beside:
    """Run *rule* for all steps, for its losses beside those that were predicted."""
    loss, halting_time = predicted
    listed = shown_steps(options.max_steps)
    between = np.linspace(0, options.max_steps, _DRAWN + 1).astype(int).tolist()
    drawn = between if options.plot else []
    record = fo.Record(steps={*listed, *drawn})
    runs = run_as_chosen(options, rule, surface, starts, stop=None, record=record)
    assert runs.trajectory_steps is not None
    assert runs.trajectory_fun is not None
    at = np.searchsorted(runs.trajectory_steps, listed)
    values = runs.trajectory_fun[at].astype(np.float64)
    rows = [
        Row(step, *_quantiles(value), *_mean(value), float(loss[step]))
        for step, value in zip(listed, values, strict=True)
    ]
    return Beside(rows, loss, halting_time, runs)


def shown_steps(last: int) -> list[int]:
    """0, 1, 2, 5, 10, ..., as far as they go, and *last*."""
    series = (factor * 10**power for power in range(len(str(last))) for factor in (1, 2, 5))
    return sorted({0, last, *(step for step in series if step < last)})


def _quantiles(values: NDArray[np.float64]) -> tuple[float, float, float]:
    finite = np.where(np.isfinite(values), values, np.inf)
    low, middle, high = np.quantile(finite, [0.05, 0.5, 0.95], method="inverted_cdf")
    return float(low), float(middle), float(high)


def _mean(values: NDArray[np.float64]) -> tuple[float, float]:
    """The mean and its standard error; runs on one member of an ensemble are not independent."""
    pieces = values.reshape(len(values), -1).mean(axis=1)
    count = len(pieces)
    if count < 2:
        return float(pieces.mean()), math.nan
    scale = float(np.abs(pieces).max()) or 1.0  # squares of what is below 1e-160 are 0
    with np.errstate(invalid="ignore"):  # where runs diverged
        error = scale * (pieces / scale).std(ddof=1) / math.sqrt(count)
    return float(pieces.mean()), float(error)


# -- in words, and as JSON ---------------------------------------------------------------


def lines_of(beside: dict[str, Beside], medians: dict[str, str]) -> list[str]:
    """A table for each rule, and its halting time; *medians* are those of the runs."""
    from fastopt.statistics.text import grid, plural

    lines = []
    for name, one in beside.items():
        title = f"{name}: losses of {plural(one.runs.steps.size, 'run')} that took all steps"
        width = len(f"{one.rows[-1].step:,}")
        head = [f"{'step':>{width}}", "5%", "median", "95%", "mean", "s.e.", "theory"]
        body = [
            [
                f"{row.step:{max(width, 4)},}",
                *(f"{value:.4g}" for value in row[1:5]),
                _short(row),
                f"{row[6]:.4g}",
            ]
            for row in one.rows
        ]
        lines += ["", title, *grid(head, body).splitlines()]
        if diverged := int((one.runs.status == fo.Status.DIVERGED).sum()):
            lines.append(f"{plural(diverged, 'run')} diverged, and count with their last loss")
        if one.halting_time is not None:
            text = f"{one.halting_time:,.0f}" if math.isfinite(one.halting_time) else "never"
            lines.append(f"median halting time {medians[name]}; by theory {text}")
    surface = next(iter(beside.values())).runs.surface
    more = ""
    if isinstance(surface, fo.RandomQuadratics) and surface.spectrum.repels:
        more = _OF_LIMIT if surface.spectrum.is_limit(surface.dim) else _OF_MATRIX
    return [*lines, "", *(_NOTES + more).splitlines()]


def _short(row: Row) -> str:
    return f"{row.standard_error:.2g}" if math.isfinite(row.standard_error) else "-"


def facts_of(one: Beside) -> dict[str, Any]:
    """As JSON has it."""
    return {
        "losses": [row._asdict() for row in one.rows],
        "halting_time": one.halting_time,
        "path": one.runs.path,
    }
