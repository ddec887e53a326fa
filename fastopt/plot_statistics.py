"""Pictures of statistics: when runs converge, profiles of rules, and how the loss falls.

Each function returns a matplotlib Figure of its own, as those of :mod:`fastopt.plot` do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from fastopt.plot import Curve, line_styles, plain_ticks, share_curves
from fastopt.plot_ensembles import halting_times, loss_band
from fastopt.statistics import DataProfile, Ecdf, HittingTime, PerformanceProfile

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "data_profile",
    "ecdf",
    "halting_times",
    "hitting_times",
    "loss_band",
    "performance_profile",
]

T = TypeVar("T")


def hitting_times(times: HittingTime | Mapping[str, HittingTime], title: str = "") -> Figure:
    """When runs converge: the share that has, against steps, with its interval.

    Parameters
    ----------
    times : HittingTime, or mapping of str to HittingTime
        Of :func:`fastopt.statistics.hitting_time`, by label.
    title : str, optional
        Of the figure.

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
    curves = {
        label: Curve(time.steps, time.cdf, (time.low, time.high), _end(time))
        for label, time in _labelled(times).items()
    }
    kinds = {(time.event, time.confidence) for time in _labelled(times).values()}
    if len(kinds) > 1:
        raise ValueError("times: event and confidence must be the same for all (hitting_times)")
    ((event, confidence),) = kinds
    name = f"share of runs {event}, {confidence * 100:g}% intervals"
    return share_curves({"": curves}, title, "steps", name)


def ecdf(curves: Ecdf | Mapping[str, Ecdf], title: str = "") -> Figure:
    """Runtime distributions over targets and surfaces, against the budget.

    Parameters
    ----------
    curves : Ecdf, or mapping of str to Ecdf
        Of :func:`fastopt.statistics.ecdf`, by label. A cross marks the largest budget that runs
        had, where there is more: beyond it, restarts are simulated.
    title : str, optional
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        Some budgets are divided by the dimension and others are not.
    """
    labelled = _labelled(curves)
    if len({curve.per_dim for curve in labelled.values()}) > 1:
        raise ValueError("curves: per_dim must be the same for all (plot_statistics.ecdf)")
    drawn = {
        label: Curve(curve.budget, curve.share, None, float(curve.budget[-1]))
        for label, curve in labelled.items()
    }
    per_dim = next(iter(labelled.values())).per_dim
    x = "steps / dim" if per_dim else "steps"
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


def performance_profile(profile: PerformanceProfile, title: str = "") -> Figure:
    """Performance profiles: the share of problems within a factor of the best.

    Parameters
    ----------
    profile : PerformanceProfile
        Of :func:`fastopt.statistics.performance_profile`.
    title : str, optional
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    curves = {
        name: Curve(profile.tau, share)
        for name, share in zip(profile.names, profile.share.T, strict=True)
    }
    figure = share_curves(
        {"": curves}, title, "cost, as a multiple of the best", "share of problems", first=1.0
    )
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


def _end(time: HittingTime) -> float:
    return float(time.steps[-1]) if time.left > 0 else math.inf


def _labelled(curves: T | Mapping[str, T]) -> Mapping[str, T]:
    if isinstance(curves, Mapping):
        if not curves:
            raise ValueError("no curves: must be one or more")
        return curves
    return {"all runs": curves}
