"""Pictures of statistics: when runs converge, profiles of rules, and how the loss falls.

Each function returns a matplotlib Figure of its own, as those of :mod:`fastopt.plot` do.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from fastopt import statistics
from fastopt.plot import Curve, line_styles, plain_ticks, share_curves
from fastopt.plot_ensembles import halting_times, loss_band
from fastopt.plot_settings import success_map
from fastopt.statistics import DataProfile, Ecdf, HittingTime, PerformanceProfile
from fastopt.statistics.cells import Cells, Chosen, by_surface, grouped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "OF_STUDIES",
    "data_profile",
    "ecdf",
    "halting_times",
    "hitting_times",
    "loss_band",
    "performance_profile",
    "success_map",
    "survival",
]

T = TypeVar("T")

# More lines than these have no looks of their own.
_MOST_LINES = 32


def hitting_times(
    times: HittingTime | Mapping[str, HittingTime] | Cells,
    title: str = "",
    *,
    target: int | None = None,
) -> Figure:
    """When runs converge: the share that has, against steps, with its interval.

    Parameters
    ----------
    times : HittingTime, mapping of str to HittingTime, or Result
        Of :func:`fastopt.statistics.hitting_time`, by label. Or the result of a study: a panel
        for each surface, with a curve for each rule (and setting of its parameters).
    title : str, optional
        Of the figure.
    target : int, optional
        Of a study, the index of one of its targets: when that was met.

    Returns
    -------
    matplotlib.figure.Figure
        Each curve ends with the last step that was observed, unless no run was going then.

    Raises
    ------
    ValueError
        They are of different events or confidences.

    Examples
    --------
    >>> import fastopt as fo
    >>> from fastopt import plot_statistics
    >>> counts = fo.statistics.Counts.from_steps(converged=[30, 40, 40, 60], censored=[200])
    >>> figure = plot_statistics.hitting_times({"adam": fo.statistics.hitting_time(counts)})
    """
    return _curves_of_times("hitting_times", times, title, target, falling=False)


def survival(
    times: HittingTime | Mapping[str, HittingTime] | Cells,
    title: str = "",
    *,
    target: int | None = None,
) -> Figure:
    """Survival curves: the share of runs that has *not* converged, against steps.

    Parameters
    ----------
    times, title, target
        As for :func:`hitting_times`, of which this is the other side.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return _curves_of_times("survival", times, title, target, falling=True)


def _curves_of_times(
    owner: str,
    times: HittingTime | Mapping[str, HittingTime] | Cells,
    title: str,
    target: int | None,
    falling: bool,
) -> Figure:
    panels: dict[str, Mapping[str, HittingTime]]
    if isinstance(times, Cells):
        panels = {
            surface: {
                name: statistics.hitting_time(cell.counts(target)) for name, cell in cells.items()
            }
            for surface, cells in grouped(owner, times).items()
        }
        _check_lines({name for cells in panels.values() for name in cells})
    elif target is not None:
        raise ValueError(f"target={target!r}: goes with the result of a study ({owner})")
    else:
        panels = {"": _labelled(times)}
    kinds = {(time.event, time.confidence) for some in panels.values() for time in some.values()}
    if len(kinds) > 1:
        raise ValueError(f"times: event and confidence must be the same for all ({owner})")
    ((event, confidence),) = kinds
    curves = {
        name: {
            label: Curve(time.steps, time.cdf, (time.low, time.high), _end(time))
            for label, time in some.items()
        }
        for name, some in panels.items()
    }
    name = f"share of runs {'not ' * falling}{event}, {confidence * 100:g}% intervals"
    if len(panels) > 2:
        name = f"share of runs\n{'not ' * falling}{event}"
    return share_curves(curves, title, "steps", name, falling=falling)


def ecdf(
    curves: Ecdf | Mapping[str, Ecdf] | Cells,
    title: str = "",
    *,
    per_dim: bool = False,
    restarts: bool = False,
) -> Figure:
    """Runtime distributions over targets and surfaces, against the budget.

    Parameters
    ----------
    curves : Ecdf, mapping of str to Ecdf, or Result
        Of :func:`fastopt.statistics.ecdf`, by label. A cross marks the largest budget that runs
        had, where there is more: beyond it, restarts are simulated. Or the result of a study: a
        curve for each rule (and setting of its parameters), over all surfaces and targets.
    title : str, optional
        Of the figure.
    per_dim, restarts : bool, default False
        Of a study, as for :func:`fastopt.statistics.ecdf`.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        Some budgets are divided by the dimension and others are not.
    """
    labelled: Mapping[str, Ecdf]
    if isinstance(curves, Cells):
        labelled = _of_rules(curves, per_dim, restarts)
    elif per_dim or restarts:
        raise ValueError("per_dim=, restarts=: go with the result of a study (ecdf)")
    else:
        labelled = _labelled(curves)
    if len({curve.per_dim for curve in labelled.values()}) > 1:
        raise ValueError("curves: per_dim must be the same for all (plot_statistics.ecdf)")
    drawn = {
        label: Curve(curve.budget, curve.share, None, float(curve.budget[-1]))
        for label, curve in labelled.items()
    }
    divided = next(iter(labelled.values())).per_dim
    x = "steps / dim" if divided else "steps"
    figure = share_curves({"": drawn}, title, x, "share of surfaces and targets")
    for curve, style in zip(labelled.values(), line_styles(labelled).values(), strict=True):
        if curve.observed < curve.budget[-1]:
            figure.axes[0].plot(
                curve.observed,
                float(curve.at(curve.observed)),
                "x",
                color=style["color"],
                markersize=8,
                markeredgewidth=1.8,
                zorder=4,
            )
    return figure


def performance_profile(
    profile: PerformanceProfile | Cells, title: str = "", *, target: int | None = None
) -> Figure:
    """Performance profiles: the share of problems within a factor of the best.

    Parameters
    ----------
    profile : PerformanceProfile or Result
        Of :func:`fastopt.statistics.performance_profile`; or the result of a study, of which it
        is then made.
    title : str, optional
        Of the figure.
    target : int, optional
        Of a study, the index of one of its targets; by default all of them.

    Returns
    -------
    matplotlib.figure.Figure
    """
    x, y = "cost, as a multiple of the best", "share of problems"
    if isinstance(profile, Cells):
        profile = statistics.performance_profile(profile, target=target)
        x, y = "expected running time, as a multiple of the best", f"{y} ({profile.problems:,})"
        _check_lines(profile.names)
    curves = {
        name: Curve(profile.tau, share)
        for name, share in zip(profile.names, profile.share.T, strict=True)
    }
    figure = share_curves({"": curves}, title, x, y, first=1.0)
    plain_ticks(figure.axes[0])
    return figure


def data_profile(profile: DataProfile, title: str = "") -> Figure:
    """Data profiles: the share of problems solved within a budget.

    Parameters
    ----------
    profile : DataProfile
        Of :func:`fastopt.statistics.data_profile`.
    title : str, optional
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    curves = {
        name: Curve(profile.budget, share)
        for name, share in zip(profile.names, profile.share.T, strict=True)
    }
    y = f"share of problems solved, τ = {profile.tau:g}"
    return share_curves({"": curves}, title, "steps / (dim + 1)", y)


OF_STUDIES: dict[str, Callable[..., Any]] = {
    "hitting_times": hitting_times,
    "survival": survival,
    "ecdf": ecdf,
    "performance_profile": performance_profile,
    "loss_band": loss_band,
    "success_map": success_map,
}
"""The pictures of a study's result, by name."""


def _of_rules(results: Cells, per_dim: bool, restarts: bool) -> dict[str, Ecdf]:
    """The runtime distribution of each rule of a study."""
    surfaces = by_surface("ecdf", results)
    names = list(next(iter(surfaces.values())))
    _check_lines(names)
    found = {}
    for name in names:
        own = Chosen([cells[name] for cells in surfaces.values()], results.targets)
        found[name] = statistics.ecdf(own, per_dim=per_dim, restarts=restarts)
    return found


def _check_lines(names: Collection[str]) -> None:
    if len(names) > _MOST_LINES:
        raise ValueError(
            f"{len(names):,} curves: must be at most {_MOST_LINES}; result.tuned() takes the best "
            "setting of each rule, result.select(...) what you choose"
        )


def _end(time: HittingTime) -> float:
    return float(time.steps[-1]) if time.left > 0 else math.inf


def _labelled(curves: T | Mapping[str, T]) -> Mapping[str, T]:
    if isinstance(curves, Mapping):
        if not curves:
            raise ValueError("no curves: must be one or more")
        return curves
    return {"all runs": curves}
