"""Pictures of runs.

Each function returns a matplotlib Figure of its own, without pyplot and its global state: no
display is needed, and nothing has to be closed. ``figure.savefig("name.png")`` writes it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastopt.runs import Runs
from fastopt.surfaces import Surface

# matplotlib is an extra and takes 0.3 s to import: only the functions that draw need it.
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), safe for colour-blind readers; wine, of Tol's palette, instead of their
# yellow, which is too pale for a line on white.
_COLOURS = (
    "#000000",
    "#E69F00",
    "#56B4E9",
    "#009E73",
    "#882255",
    "#0072B2",
    "#D55E00",
    "#CC79A7",
)
# From dense to sparse. Sparser lines lie above denser ones: where curves coincide, all are seen.
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (6, 1.5, 1.2, 1.5)), (0, (1.2, 1.2)))
_DASHES_OF_COLOURS = (0, 1, 0, 2, 0, 1, 0, 3)
INK = "#333333"
SMALL, MEDIUM, LARGE = 9.0, 10.5, 13.0
_DPI = 200
# Powers of ten alone would leave an axis that spans less than this with one label or none.
_NARROW = 30
# Of a curve; its panel has no more than 1800 pixels to a side.
_MOST_POINTS = 4000


class Curve(NamedTuple):
    """A share that rises with the steps, or with whatever else it costs."""

    steps: NDArray[Any]
    """Where it rises, ascending."""
    share: NDArray[np.float64]
    """What it rises to there."""
    band: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    """The ends of its interval there."""
    end: float = math.inf
    """How far it is known."""


def success_curve(runs: Runs) -> Curve:
    """The share of all runs that had converged by each step."""
    steps, counts = np.unique(runs.steps[runs.success], return_counts=True)
    return Curve(steps, np.cumsum(counts) / max(runs.steps.size, 1))


def success_curves(panels: Mapping[str, Mapping[str, Curve]], title: str = "") -> Figure:
    """Curves of success against steps: a panel for each surface, a line for each rule.

    Parameters
    ----------
    panels : mapping
        For each panel's title its curves, by label. A label has one colour throughout.
    title : str, optional
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure
    """
    return share_curves(panels, title, "steps", "share of starts converged")


def share_curves(
    panels: Mapping[str, Mapping[str, Curve]],
    title: str,
    x: str,
    y: str,
    first: float | None = None,
    falling: bool = False,
) -> Figure:
    """Curves of shares: a panel for each title, a line for each label; axes named *x* and *y*.

    The horizontal axis is logarithmic, and begins at *first*, or where the curves do. If they
    are to be *falling*, what is drawn is 1 less the share.
    """
    from matplotlib.lines import Line2D

    labels = list(dict.fromkeys(label for curves in panels.values() for label in curves))
    styles = line_styles(labels)
    columns = min(len(panels), 2)
    rows = math.ceil(len(panels) / columns)
    legend_rows = math.ceil(len(labels) / 4)
    single = len(panels) == 1
    height = (3.6 if single else 2.75) * rows + 0.26 * legend_rows + 0.55
    size = (6.4 if single else 4.6 * columns, height)
    figure, axes = new_figure(size, rows, columns, sharey=True, title=title)
    for ax, (name, curves) in zip(axes, panels.items(), strict=False):
        _draw_curves(ax, curves, styles, first, falling)
        label_panel(ax, name)
    for ax in axes[len(panels) :]:
        ax.remove()
    _outer_labels(axes[: len(panels)], columns, x, y)
    figure.legend(
        [Line2D([], [], linewidth=2.0, **styles[label]) for label in labels],
        labels,
        loc="outside lower center",
        ncols=min(len(labels), 3 if single else 4),
        frameon=False,
        fontsize=MEDIUM,
        handlelength=3.0,
    )
    return figure


def _draw_curves(
    ax: Axes,
    curves: Mapping[str, Curve],
    styles: Mapping[str, Any],
    first: float | None,
    falling: bool,
) -> None:
    from matplotlib.ticker import PercentFormatter

    low, high = _extent(curves.values())
    low = low if first is None else first
    for label, given in curves.items():
        curve = _thinned(given, low, high)
        # From nothing, in steps, and on to the right edge at the share that was reached.
        end = min(max(curve.end, low), high)
        x = np.concatenate([[low], np.clip(curve.steps, low, end), [end]])
        y, *band = (
            np.concatenate([[0.0], share, share[-1:] if len(share) else [0.0]])
            for share in (curve.share, *(curve.band or ()))
        )
        if falling:
            y, *band = (1 - share for share in (y, *band))
        ax.plot(x, y, drawstyle="steps-post", linewidth=1.8, **styles[label])
        if band:
            colour = styles[label]["color"]
            bottom, top = band
            ax.fill_between(x, bottom, top, step="post", color=colour, alpha=0.18, linewidth=0)
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    if high < _NARROW * low:
        plain_ticks(ax)
    ax.set_ylim(-0.03, 1.04)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    draw_grid(ax)


def _thinned(curve: Curve, low: float, high: float) -> Curve:
    """As much of a long curve as can be told apart on paper."""
    if len(curve.steps) <= _MOST_POINTS:
        return curve
    seen = np.searchsorted(curve.steps, np.geomspace(low, high, _MOST_POINTS), side="right") - 1
    kept = np.unique(np.append(np.maximum(seen, 0), len(curve.steps) - 1))
    band = curve.band and (curve.band[0][kept], curve.band[1][kept])
    return Curve(curve.steps[kept], curve.share[kept], band, curve.end)


def plain_ticks(ax: Axes) -> None:
    """Label a logarithmic axis 1, 2, 5, 10, ..."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))


def draw_grid(ax: Axes) -> None:
    """Pale lines behind all else."""
    ax.grid(True, color="#E6E6E6", linewidth=0.7)
    ax.set_axisbelow(True)


def _extent(curves: Iterable[Curve]) -> tuple[float, float]:
    """From where the first curve rises to where the last is level, but for rare runs."""
    rises, levels, ends = [], [], []
    for curve in curves:
        ends.append(curve.end)
        if len(curve.steps) and curve.share[-1] > 0:
            rises.append(curve.steps[np.searchsorted(curve.share, 0.005 * curve.share[-1])])
            levels.append(curve.steps[np.searchsorted(curve.share, 0.995 * curve.share[-1])])
    low = max(min(rises, default=1), 1) / 1.6
    high = max(max(levels, default=10), 2) * 1.6
    return low, max(min(high, max(ends, default=math.inf)), 2 * low)


def paths(panels: Mapping[str, Runs], notes: Mapping[str, str], title: str = "") -> Figure:
    """The path of one run in each panel, over the contours of its surface.

    Parameters
    ----------
    panels : mapping
        For each label a batch on one and the same surface of two coordinates, with its
        trajectory recorded; the path of its first run is drawn.
    notes : mapping
        For each label what to say below it.
    title : str, optional
        Of the figure.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        A batch has no trajectory, or its surface has not two coordinates.
    """
    trajectories = {label: _first_trajectory(runs) for label, runs in panels.items()}
    surface = next(iter(panels.values())).surface
    if not isinstance(surface, Surface):
        raise ValueError(f"{surface!r}: must be one surface; run one of its members, ensemble[0]")
    styles = line_styles(panels)
    box = _view(surface, trajectories.values())
    columns = min(len(panels), 2 if len(panels) <= 8 else 3)
    rows = math.ceil(len(panels) / columns)
    width = 9.2 / columns
    height = min(width * (box[1, 1] - box[1, 0]) / (box[0, 1] - box[0, 0]), 2 * width)
    size = (9.2, rows * (height + 0.2) + 0.9)
    figure, axes = new_figure(size, rows, columns, sharex=True, sharey=True, title=title)
    for ax, (label, points) in zip(axes, trajectories.items(), strict=False):
        _draw_contours(ax, surface, box)
        _draw_path(ax, points, styles[label]["color"])
        label_panel(ax, label, notes.get(label, ""))
    for ax in axes[len(panels) :]:
        ax.remove()
    _outer_labels(axes[: len(panels)], columns, "x", "y")
    return figure


def _first_trajectory(runs: Runs) -> NDArray[Any]:
    if runs.trajectory is None:
        raise ValueError("a batch without a trajectory: run it with record=fo.Record(every=1)")
    if runs.surface.dim != 2:
        raise ValueError(f"{runs.surface!r} has {runs.surface.dim} coordinates: must have 2")
    return runs.trajectory.reshape(len(runs.trajectory), -1, 2)[:, 0]


def _view(surface: Surface, trajectories: Iterable[NDArray[Any]]) -> NDArray[np.float64]:
    """The box (2, 2) that shows all paths and the minima, but not beyond twice the bounds."""
    points = np.concatenate([surface.minima, *trajectories])
    points = points[np.isfinite(points).all(axis=1)]
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.07 * (high - low).max()
    centre, half = surface.bounds.mean(axis=1), np.diff(surface.bounds)[:, 0]
    box = [np.maximum(low - margin, centre - half), np.minimum(high + margin, centre + half)]
    return np.stack(box, axis=1)


def _draw_contours(ax: Axes, surface: Surface, box: NDArray[np.float64]) -> None:
    from matplotlib.ticker import MaxNLocator

    x, y = (np.linspace(low, high, 201) for low, high in box)
    value = surface.value(np.stack(np.meshgrid(x, y), axis=-1))
    # Evenly spaced on a parabola.
    levels = value.min() + np.linspace(0.0, 1.0, 13) ** 2 * np.ptp(value)
    ax.contourf(x, y, value, levels, cmap="Greys", alpha=0.28)
    ax.contour(x, y, value, levels[1:-1], colors="#8C8C8C", linewidths=0.5)
    ax.set_aspect("equal")
    for point in surface.minima:
        ax.plot(*point, marker="+", color=INK, markersize=9, markeredgewidth=1.4, zorder=2.5)
    ax.set_xlim(*box[0])
    ax.set_ylim(*box[1])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=6, integer=True))


def _draw_path(ax: Axes, points: NDArray[Any], colour: str) -> None:
    ax.plot(*points.T, "-", color=colour, linewidth=1.3, zorder=3)
    ax.plot(*points.T, "o", color=colour, markersize=2.8, markeredgewidth=0, zorder=3)
    ax.plot(
        *points[0], "o", markersize=6.5, markerfacecolor="white", markeredgecolor=colour, zorder=4
    )


def line_styles(labels: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Colour and dashes of each label, by its place; of 32 labels no two are the same."""
    styles = {}
    for place, label in enumerate(labels):
        round_, colour = divmod(place, len(_COLOURS))
        dashes = (_DASHES_OF_COLOURS[colour] + round_) % len(_DASHES)
        styles[label] = {
            "color": _COLOURS[colour],
            "linestyle": _DASHES[dashes],
            "zorder": 2.0 + 0.1 * dashes,
        }
    return styles


def new_figure(
    size: tuple[float, float],
    rows: int,
    columns: int,
    title: str,
    dpi: float = _DPI,
    **options: Any,
) -> tuple[Figure, list[Axes]]:
    """A figure of so many inches, and its panels by row; *options* are those of ``subplots``."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False, **options)
    if title:
        figure.suptitle(f"{title}\n", fontsize=LARGE, color=INK)
    return figure, list(axes.ravel())


def label_panel(ax: Axes, title: str, note: str = "") -> None:
    ax.set_title(title, fontsize=MEDIUM, color=INK, loc="left", weight="bold")
    if note:
        ax.set_title(note, fontsize=SMALL, color=INK, loc="right")
    ax.tick_params(labelsize=SMALL, colors=INK)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)


def _outer_labels(axes: list[Axes], columns: int, x: str, y: str) -> None:
    """Label the left and the lowest panels only."""
    for place, ax in enumerate(axes):
        if place % columns == 0:
            ax.set_ylabel(y, fontsize=MEDIUM, color=INK)
        if place + columns >= len(axes):
            ax.set_xlabel(x, fontsize=MEDIUM, color=INK)
            ax.tick_params(labelbottom=True)
