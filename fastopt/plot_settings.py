"""What becomes of a rule of a study as its parameters vary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fastopt.basins import ParameterMap, plane_picture
from fastopt.plot import INK, MEDIUM, SMALL, draw_grid, label_panel, line_styles, new_figure
from fastopt.statistics import success_rate
from fastopt.statistics.cells import Cell, Cells

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_OWNER = "success_map"
_SHOWN = ("converged", "diverged", "steps")


def success_map(
    results: Cells, title: str = "", *, what: str = "converged", target: int | None = None
) -> Figure:
    """The share of runs that converge, over the parameters of a rule of a study.

    Parameters
    ----------
    results : Result
        Of one rule with settings of two parameters, on one surface: a map of colours. Or of
        one parameter, on any number of surfaces: a curve for each, with Wilson's interval.
    title : str, optional
        Of the figure; by default the rule and the surface.
    what : {"converged", "diverged", "steps"}, default "converged"
        The shares of the runs that did so; or, of two parameters, the mean number of steps of
        those that converged.
    target : int, optional
        Index of one of the study's targets: what met that has converged.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        There are several rules, or not one or two parameters of which there are several values.

    Examples
    --------
    >>> import numpy as np
    >>> import fastopt as fo
    >>> from fastopt import plot_statistics
    >>> rule = fo.Momentum(np.geomspace(1e-3, 1, 7)[:, None], momentum=np.linspace(0, 0.9, 4))
    >>> result = fo.Study([rule], [fo.Bowl()], starts=100, max_steps=200).run()
    >>> figure = plot_statistics.success_map(result)
    """
    if not isinstance(results, Cells):
        raise TypeError(f"a {type(results).__name__}: must be the result of a study ({_OWNER})")
    if what not in _SHOWN:
        raise ValueError(f"what={what!r}: must be one of {', '.join(_SHOWN)} ({_OWNER})")
    cells = results.cells()
    names = _parameters(cells)
    if len(names) == 2:
        return plane_picture.plot(_plane(cells, names, target), what, title)
    if what == "steps":
        raise ValueError(f"what='steps': goes with two parameters, not {names[0]} alone ({_OWNER})")
    return _curves(cells, names[0], what, target, title)


def _parameters(cells: Sequence[Cell]) -> list[str]:
    """The parameters of which there are several values: one, or two on one surface."""
    rules = list(dict.fromkeys(cell.rule for cell in cells))
    surfaces = list(dict.fromkeys(cell.surface for cell in cells))
    if len(rules) > 1:
        raise ValueError(
            f"a Result of the rules {', '.join(rules)}: must be of one; result.select(rule) "
            f"takes it ({_OWNER})"
        )
    if not all(cell.runs for cell in cells):
        raise ValueError(f"a cell has no runs yet; run the study to its end ({_OWNER})")
    points: dict[str, set[float]] = {}
    for cell in cells:
        for name, value in cell.setting.items():
            points.setdefault(name, set()).add(value)
    varied = [name for name, values in points.items() if len(values) > 1]
    if len(varied) not in (1, 2):
        found = f"{len(varied)} parameters ({', '.join(varied)})" if varied else "no parameter"
        raise ValueError(
            f"{found} of {rules[0]} with several values: must be one or two; give the rule "
            f"arrays, or fix some with result.select(name=value) ({_OWNER})"
        )
    if len(varied) == 2 and len(surfaces) > 1:
        raise ValueError(
            f"a Result of the surfaces {', '.join(surfaces)}: must be of one, for two "
            f"parameters; result.select(surface=...) takes it ({_OWNER})"
        )
    return varied


def _plane(cells: Sequence[Cell], names: Sequence[str], target: int | None) -> ParameterMap:
    x, y = (np.unique([cell.setting[name] for cell in cells]) for name in names)
    converged, diverged, steps = np.full((3, y.size, x.size), np.nan)
    for cell in cells:
        column, row = (
            int(np.searchsorted(axis, cell.setting[name]))
            for axis, name in zip((x, y), names, strict=True)
        )
        counts = cell.counts(target)
        converged[row, column] = counts.successes / cell.runs
        diverged[row, column] = counts.diverged.sum() / cell.runs
        if counts.successes:
            steps[row, column] = float(counts.steps @ counts.converged) / counts.successes
    return ParameterMap(
        names=(names[0], names[1]),
        x=x,
        y=y,
        converged=converged,
        diverged=diverged,
        steps=steps,
        fun=np.full(steps.shape, np.nan),
        starts=cells[0].runs,
        max_steps=cells[0].max_steps,
        rule_text=cells[0].rule,
        surface_text=cells[0].surface,
        seconds=math.nan,
    )


def _curves(cells: Sequence[Cell], name: str, what: str, target: int | None, title: str) -> Figure:
    surfaces = list(dict.fromkeys(cell.surface for cell in cells))
    title = title or f"{cells[0].rule} on {surfaces[0] if len(surfaces) == 1 else 'each surface'}"
    figure, (ax,) = new_figure((6.4, 4.4), 1, 1, title=title)
    for surface, style in line_styles(surfaces).items():
        own = sorted((c for c in cells if c.surface == surface), key=lambda c: c.setting[name])
        _draw_curve(ax, own, name, what, target, style | {"label": surface})
    if plane_picture.is_geometric(np.unique([cell.setting[name] for cell in cells])):
        ax.set_xscale("log")
    ax.set_ylim(-0.03, 1.04)
    ax.yaxis.set_major_formatter("{x:.0%}")
    draw_grid(ax)
    label_panel(ax, "")
    ax.set_xlabel(name.replace("_", " "), fontsize=MEDIUM, color=INK)
    ax.set_ylabel(f"share of runs {what}, 95% intervals", fontsize=MEDIUM, color=INK)
    if len(surfaces) > 1:
        ax.legend(frameon=False, fontsize=SMALL, loc="best")
    return figure


def _draw_curve(
    ax: Axes,
    cells: Sequence[Cell],
    name: str,
    what: str,
    target: int | None,
    style: dict[str, Any],
) -> None:
    shares = [success_rate(cell.counts(target), event=what) for cell in cells]
    x = [cell.setting[name] for cell in cells]
    ax.plot(x, [share.value for share in shares], "o", markersize=3.5, linewidth=1.8, **style)
    low, high = [share.low for share in shares], [share.high for share in shares]
    ax.fill_between(x, low, high, color=style["color"], alpha=0.18, linewidth=0)
