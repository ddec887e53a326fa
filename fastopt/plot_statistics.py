"""Pictures of statistics: when runs converge, profiles of rules, and how the loss falls.

Each function returns a matplotlib Figure of its own, as those of :mod:`fastopt.plot` do.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from fastopt.checks import Floats
from fastopt.plot import (
    INK,
    MEDIUM,
    SMALL,
    Curve,
    draw_grid,
    label_panel,
    line_styles,
    new_figure,
    plain_ticks,
    share_curves,
)
from fastopt.runs import Runs
from fastopt.statistics import DataProfile, Ecdf, HittingTime, PerformanceProfile
from fastopt.statistics.recorded import recorded_values, spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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


def loss_band(
    runs: Runs,
    prediction: ArrayLike | None = None,
    *,
    shares: Sequence[float] = (0.5, 0.9),
    label: str = "theory: mean",
    title: str = "",
) -> Figure:
    """How the loss falls: bands that hold so many of the runs at each recorded step.

    Parameters
    ----------
    runs : Runs
        With ``record=`` of two steps at least.
    prediction : array_like, shape (last recorded step + 1,) or (recorded steps,), optional
        A mean loss for each step from 0, such as ``fo.theory.expected_loss`` gives, or for each
        recorded step; it is drawn over the bands, with the mean of the runs.
    shares : sequence of float, default (0.5, 0.9)
        The share of runs in the middle that each band holds.
    label : str, default "theory: mean"
        Of the prediction.
    title : str, optional
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        On a logarithmic scale above ``fun_min`` where that is known; otherwise a linear one.

    Raises
    ------
    ValueError
        There is no record, or the prediction is of another length.

    Examples
    --------
    >>> import fastopt as fo
    >>> from fastopt import plot_statistics
    >>> rule, surface = fo.GradientDescent(0.01), fo.Quadratic([[1.0, 0.0], [0.0, 20.0]])
    >>> starts = fo.starts.Normal([0, 0], 1.0, n=500, seed=0)
    >>> runs = fo.run(
    ...     rule, surface, starts, max_steps=200, stop=None, record=fo.Record(every=5)
    ... )
    >>> mean = fo.theory.expected_loss(rule, [1.0, 20.0], steps=200)
    >>> figure = plot_statistics.loss_band(runs, mean)
    """
    steps, values = recorded_values("loss_band", "runs", runs)
    wrong = [share for share in shares if not 0 < share < 1]
    if wrong:
        raise ValueError(f"shares={shares!r}: must be between 0 and 1 (loss_band)")
    predicted = None if prediction is None else _predicted(prediction, steps)
    least = np.asarray(runs.surface.fun_min, np.float64)
    known = not np.isnan(least).any()
    values = np.where(np.isfinite(values), values, np.inf)
    if known:
        values = values - spread(least, runs)
    lines = {"median": _quantile(values, 0.5)}
    if predicted is not None:
        lines["mean"] = values.mean(axis=1)
        lines[label] = predicted
    bands = {
        share: (_quantile(values, (1 - share) / 2), _quantile(values, (1 + share) / 2))
        for share in sorted(shares, reverse=True)
    }
    figure, (ax,) = new_figure((6.4, 4.4), 1, 1, title=title)
    _draw_bands(ax, steps, bands, lines)
    if known:
        _logarithmic(ax, [*lines.values(), *(end for band in bands.values() for end in band)])
    label_panel(ax, "")
    ax.set_xlim(steps[0], max(steps[-1], steps[0] + 1))
    ax.set_xlabel("steps", fontsize=MEDIUM, color=INK)
    ax.set_ylabel("loss above the minimum" if known else "loss", fontsize=MEDIUM, color=INK)
    ax.legend(frameon=False, fontsize=SMALL, loc="upper right")
    return figure


def _end(time: HittingTime) -> float:
    return float(time.steps[-1]) if time.left > 0 else math.inf


def _labelled(curves: T | Mapping[str, T]) -> Mapping[str, T]:
    if isinstance(curves, Mapping):
        if not curves:
            raise ValueError("no curves: must be one or more")
        return curves
    return {"all runs": curves}


def _quantile(values: Floats, share: float) -> Floats:
    # Diverged runs are at inf, to which nothing can be interpolated.
    return np.quantile(values, share, axis=1, method="inverted_cdf")


def _predicted(prediction: ArrayLike, steps: Any) -> Floats:
    array = np.asarray(prediction, np.float64)
    if array.shape == (steps[-1] + 1,):
        return array[steps]
    if array.shape != steps.shape:
        raise ValueError(
            f"prediction has shape {array.shape}: must be ({steps[-1] + 1},), one for each step, "
            f"or {steps.shape}, one for each recorded (loss_band)"
        )
    return array


def _draw_bands(
    ax: Axes, steps: Any, bands: Mapping[float, tuple[Floats, Floats]], lines: Mapping[str, Floats]
) -> None:
    colours = [style["color"] for style in line_styles(map(str, range(8))).values()]
    black, blue, red = colours[0], colours[5], colours[6]
    for place, (share, ends) in enumerate(bands.items()):
        low, high = (np.where(np.isfinite(end), end, np.finfo(float).max) for end in ends)
        shade, name = 0.15 + 0.15 * place, f"{share:.0%} of runs"
        ax.fill_between(steps, low, high, color=blue, alpha=shade, linewidth=0, label=name)
    looks = ((blue, "-"), (black, "-"), (red, (0, (5, 2))))
    for (label, line), (colour, dash) in zip(lines.items(), looks, strict=False):
        ax.plot(steps, line, linewidth=1.8, linestyle=dash, label=label, color=colour)
    draw_grid(ax)


def _logarithmic(ax: Axes, curves: Sequence[Floats]) -> None:
    every = np.concatenate(curves)
    shown = every[np.isfinite(every) & (every > 0)]
    if shown.size:
        ax.set_yscale("log", nonpositive="clip")
        ax.set_ylim(shown.min() / 2, shown.max() * 2)
