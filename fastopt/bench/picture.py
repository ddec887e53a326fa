"""A picture of the figures: shares of the limits, and ratios to the peers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fastopt.bench.peers import Ratio
from fastopt.bench.rates import ROSENBROCK, Reached
from fastopt.bench.report import Report
from fastopt.bench.text import counted
from fastopt.plot import (
    INK,
    MEDIUM,
    SMALL,
    draw_grid,
    label_panel,
    line_styles,
    new_figure,
)

# matplotlib is an extra and takes 0.3 s to import: only the functions that draw need it.
if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MARKERS = "osD^vP"
_ROW = 0.42
_BARS, _REST = "#0072B2", "#E6E6E6"


def draw(report: Report) -> Figure:
    """Bars of the shares that the rates reach, and if there are peers, points of the ratios."""
    ratios = [row for row in report.ratios + report.converging if row.ratio is not None]
    rows = {_row(row): None for row in ratios}
    panels = 2 if ratios else 1
    height = _ROW * max(len(report.reached), len(rows)) + 1.7
    title = f"{report.machine['machine'].split(',')[0]}, {counted(report.threads)}"
    figure, axes = new_figure((5.4 * panels, height), 1, panels, title=title)
    _draw_shares(axes[0], report.reached)
    if ratios:
        _draw_ratios(axes[1], ratios, list(rows))
        figure.legend(
            loc="outside lower right",
            ncols=len({row.peer for row in ratios}),
            frameon=False,
            fontsize=MEDIUM,
            handletextpad=0.1,
            columnspacing=1.2,
        )
    return figure


def _draw_shares(ax: Axes, reached: list[Reached]) -> None:
    from matplotlib.ticker import PercentFormatter

    names = []
    for place, row in enumerate(reached):
        names.append(row.rule if row.what == ROSENBROCK else f"{row.rule},\n{row.what}")
        text = f"{row.rate / 1e6:,.3g} M/s" if row.rate < 1e9 else f"{row.rate / 1e9:.3g} G/s"
        if row.share is not None:
            ax.barh(place, 1.0, 0.62, color=_REST)
            ax.barh(place, row.share, 0.62, color=_BARS)
            text += f"; {row.unit}"
        end = 1.03 if row.share is None else max(row.share, 1.0) + 0.03
        ax.text(end, place, text, va="center", fontsize=SMALL, color=INK)
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set_xlim(0, 2.3)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1.0])
    ax.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel("share of what its scarcest unit allows", fontsize=MEDIUM, color=INK)
    label_panel(ax, "start-steps a second")


def _draw_ratios(ax: Axes, ratios: list[Ratio], rows: list[str]) -> None:
    from matplotlib.ticker import FuncFormatter

    peers = list(dict.fromkeys(row.peer for row in ratios))
    styles = line_styles(peers)
    for place, peer in enumerate(peers):
        own = [row for row in ratios if row.peer == peer]
        ax.plot(
            [row.ratio or math.nan for row in own],
            [rows.index(_row(row)) for row in own],
            _MARKERS[place % len(_MARKERS)],
            color=styles[peer]["color"],
            markersize=8,
            markeredgecolor="white",
            label=peer,
        )
    ax.axvline(1.0, color=INK, linewidth=1.0)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    ax.set_yticks(range(len(rows)), rows)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.margins(x=0.08)
    draw_grid(ax)
    ax.set_xlabel("times as fast as the peer", fontsize=MEDIUM, color=INK)
    label_panel(ax, "beside its peers")


def _row(row: Ratio) -> str:
    """The label of a row: the rule, and to convergence the surface."""
    return row.rule if row.unit == "start-steps" else f"{row.rule} to convergence,\n{row.surface}"
