"""Pictures of planes of two parameters."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastopt.basins.picture import legend_below
from fastopt.plot import INK, LARGE, MEDIUM, SMALL, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fastopt.basins.parameters import ParameterMap

_LABELS = {
    "steps": "steps to converge",
    "converged": "share of starts converged",
    "diverged": "share of starts diverged",
    "fun": "value at the end",
}
_UNRESOLVED = "#808080"
_STEEP = 100.0


def plot(plane: ParameterMap, what: str, title: str) -> Figure:
    """See :meth:`ParameterMap.plot`."""
    from matplotlib.colors import LogNorm, Normalize

    what = what or ("steps" if plane.starts == 1 else "converged")
    if what not in _LABELS:
        raise ValueError(f"what={what!r}: must be one of {', '.join(_LABELS)} (plot)")
    values = np.ma.masked_invalid(getattr(plane, what))
    if what in ("converged", "diverged"):
        norm: Any = Normalize(0, 1)
    else:
        fine = values.compressed()
        low, high = (fine.min(), fine.max()) if fine.size else (1.0, 1.0)
        steep = low > 0 and high > (1 if what == "steps" else _STEEP) * low
        norm = LogNorm(low, high) if steep else Normalize(low, high)
    figure, (ax,) = new_figure((7.6, 6.0), 1, 1, title="")
    ax.set_facecolor(_UNRESOLVED)
    mesh = ax.pcolormesh(
        edges(plane.x),
        edges(plane.y),
        values,
        cmap="viridis" if what == "converged" else "viridis_r",  # what is good is bright
        norm=norm,
        rasterized=True,
    )
    gone = np.ma.masked_where(plane.diverged < 1, np.zeros(plane.diverged.shape))
    if what in ("steps", "fun"):
        ax.pcolormesh(edges(plane.x), edges(plane.y), gone, cmap="binary_r", rasterized=True)
    for axis, values_, name in ((ax.xaxis, plane.x, 0), (ax.yaxis, plane.y, 1)):
        if is_geometric(values_):
            (ax.set_yscale if name else ax.set_xscale)("log")
        text = plane.names[name].replace("_", " ")
        axis.set_label_text(text, fontsize=MEDIUM, color=INK)
    ax.set_xlim(*edges(plane.x)[[0, -1]])
    ax.set_ylim(*edges(plane.y)[[0, -1]])
    ax.tick_params(labelsize=SMALL, colors=INK, which="both")
    for side in ax.spines.values():
        side.set_visible(False)
    x, y = plane.best().values()
    if np.isfinite([x, y]).all():
        ax.scatter(x, y, marker="*", s=150, c="white", edgecolors="black", zorder=5)
    bar = figure.colorbar(mesh, ax=ax, shrink=0.8, aspect=30)
    bar.set_label(_LABELS[what], fontsize=MEDIUM, color=INK)
    bar.ax.tick_params(labelsize=SMALL, colors=INK)
    bar.outline.set_visible(False)
    text = title or f"{plane.rule_text} on {plane.surface_text}"
    figure.suptitle(textwrap.fill(text, 62), fontsize=LARGE, color=INK, weight="bold")
    _legend(figure, plane, what)
    return figure


def _legend(figure: Figure, plane: ParameterMap, what: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    star: dict[str, Any] = {
        "marker": "*",
        "markersize": 11,
        "color": "white",
        "markeredgecolor": "black",
    }
    handles: list[Any] = [Line2D([], [], linestyle="", label="fastest", **star)]
    if what in ("steps", "fun"):
        if (plane.diverged == 1).any():
            handles.append(Patch(facecolor="black", label="diverged"))
        if what == "steps" and ((plane.converged == 0) & (plane.diverged < 1)).any():
            text = f"not within {plane.max_steps:,} steps"
            handles.append(Patch(facecolor=_UNRESOLVED, label=text))
    legend_below(figure, handles, columns=3)


def is_geometric(values: NDArray[np.float64]) -> bool:
    """Whether the values are spaced evenly in the logarithm, and not evenly as they are."""
    if len(values) < 3 or not ((values > 0).all() or (values < 0).all()):
        return False
    ratios, steps = values[1:] / values[:-1], np.diff(values)
    return bool(np.allclose(ratios, ratios[0]) and not np.allclose(steps, steps[0]))


def edges(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The borders (n + 1,) of the cells around each value."""
    if len(values) == 1:
        half = abs(values[0]) / 2 or 0.5
        return np.array([values[0] - half, values[0] + half])
    if is_geometric(values):
        return np.exp(_halfway(np.log(np.abs(values)))) * np.sign(values[0])
    return _halfway(values)


def _halfway(values: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = (values[1:] + values[:-1]) / 2
    ends = values[0] - (middle[0] - values[0]), values[-1] + (values[-1] - middle[-1])
    return np.concatenate([[ends[0]], middle, [ends[1]]])
