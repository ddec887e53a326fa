"""Pictures of a surface: contours, or the surface itself in three dimensions.

Both show two coordinates. Colours are those of viridis, which is perceptually even and safe
for colour-blind readers, and logarithmic above the least value, so that a valley shows beside
its walls.
"""

from __future__ import annotations

import math
import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastopt.plot import INK, LARGE, MEDIUM, SMALL, new_figure
from fastopt.plot_window import Floats, Heights, Window, heights, window
from fastopt.surfaces import Surface

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS = "viridis"
_WIDTH = 7.0  # inches, whatever the number of pixels: the text grows with the picture
_GRID, _GRID_3D = 701, 181
_LINES = 20
# Heights are shown as logarithms where the highest is so many times the median.
_STEEP = 40.0
# Where the colours span no more than this, the scale has plain numbers between its decades.
_FEW_DECADES = 300.0


class Kind(NamedTuple):
    """How known points of a kind are marked."""

    attribute: str
    label: str
    plural: str
    style: dict[str, Any]


_KINDS = (
    Kind("minima", "global minimum", "global minima", {"marker": "*", "s": 190, "color": "white"}),
    Kind(
        "local_minima", "local minimum", "local minima", {"marker": "o", "s": 42, "color": "white"}
    ),
    Kind("saddles", "saddle point", "saddle points", {"marker": "X", "s": 52, "color": "#FF9D5C"}),
)
# More than so many of a kind would hide the picture.
_MOST_MARKED = 40


def _norm(h: Heights) -> Any:
    from matplotlib.colors import LogNorm

    return LogNorm(h.low, h.high, clip=True)


def _shown(h: Heights) -> Floats:
    return np.ma.masked_invalid(np.clip(h.above, h.low, h.high))


# -- pictures ----------------------------------------------------------------------------


def contours(
    surface: Surface, bounds: ArrayLike | None = None, width: int = 1400, title: str = ""
) -> Figure:
    """Contours at levels evenly spaced in the logarithm, with the known points marked.

    Parameters
    ----------
    surface : Surface
        Of two coordinates or more; of the first two, with the others kept, see ``window``.
    bounds : array_like, shape (2, 2) or (2,), optional
        Lowest and highest value of x and of y.
    width : int, default 1400
        Of the picture, in pixels.
    title : str, optional
        By default the surface's own name.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        The surface has one coordinate, *bounds* are no window, or it has no finite value there.

    Examples
    --------
    >>> import fastopt as fo
    >>> from fastopt import plot_surface
    >>> figure = plot_surface.contours(fo.Himmelblau())
    >>> figure.savefig("him.png")  # doctest: +SKIP
    """
    view = window(surface, bounds)
    x, y, values = view.sample(_GRID)
    h = heights(surface, values)
    ratio = float(np.clip(np.divide(*np.diff(view.box)[::-1, 0]), 0.45, 1.6))
    figure, ax = _start(width, 0.775 * _WIDTH * ratio + 1.3)
    half = np.diff(view.box) / (2 * (_GRID - 1))  # of a pixel, around its point
    (left, right), (bottom, top) = (view.box + half * [-1, 1]).tolist()
    ax.imshow(
        _shown(h),
        cmap=_COLOURS,
        norm=_norm(h),
        extent=(left, right, bottom, top),
        origin="lower",
        interpolation="bilinear",
        aspect="auto",
    )
    levels = np.geomspace(h.low, h.high, _LINES + 2)[1:-1]
    ax.contour(x, y, _shown(h), levels, colors="white", linewidths=0.55, alpha=0.55)
    if math.isclose(ratio, np.divide(*np.diff(view.box)[::-1, 0])):
        ax.set_aspect("equal")
    for kind, points in _marked(view):
        _mark(ax, points, kind)
    _finish(figure, ax, view, h, None, title)
    return figure


def relief(
    surface: Surface, bounds: ArrayLike | None = None, width: int = 1400, title: str = ""
) -> Figure:
    """The surface in three dimensions, over its contours.

    Heights are logarithmic where the highest is 40 times the median or more: the label says so.
    Parameters, result and errors are those of :func:`contours`.

    Examples
    --------
    >>> import fastopt as fo
    >>> from fastopt import plot_surface
    >>> figure = plot_surface.relief(fo.Rastrigin(), bounds=[-2.0, 2.0])
    >>> figure.savefig("rastrigin.png")  # doctest: +SKIP
    """
    view = window(surface, bounds)
    x, y, values = view.sample(_GRID_3D)
    h = heights(surface, values)
    shown = _shown(h)
    steep = h.high >= _STEEP * float(np.nanmedian(h.above))
    z: Any = np.log10(shown) if steep else np.ma.masked_invalid(values)
    low, high = float(z.min()), float(z.max())
    extent = (high - low) or 1.0
    floor = low - 0.4 * extent
    figure, ax = _start(width, 0.8 * _WIDTH, projection="3d")
    # Constrained layout does not see the labels of three dimensions.
    figure.set_layout_engine("none")
    ax.set_position((-0.02, 0.05, 0.88, 0.92))
    ax.computed_zorder = False  # or the floor would hide what stands on it
    colours, norm = _colours(shown, z, low, extent), _norm(h)
    grid = np.meshgrid(x, y)
    ax.contourf(
        *grid,
        shown,
        np.geomspace(h.low, h.high, 2 * _LINES),
        zdir="z",
        offset=floor,
        cmap=_COLOURS,
        norm=norm,
        zorder=1,
    )
    # A point without a value leaves a hole.
    ax.plot_surface(
        *grid,
        z.filled(np.nan),
        facecolors=colours,
        rcount=_GRID_3D,
        ccount=_GRID_3D,
        linewidth=0,
        antialiased=False,
        shade=False,
        zorder=2,
    )
    for kind, points in _marked(view):
        at = surface.value(points)
        _mark(ax, points, kind, np.log10(np.maximum(at - h.base, h.low)) if steep else at)
    ax.set_zlim(floor, high)
    ax.view_init(elev=33, azim=-122)
    ax.set_box_aspect((1, 1, 0.72), zoom=0.9)
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.pane.set_facecolor("white")
        axis.pane.set_edgecolor("#DDDDDD")
        axis._axinfo["grid"].update(color="#E6E6E6", linewidth=0.6)
    ax.set_zticks([tick for tick in ax.get_zticks() if low - 0.02 * extent <= tick <= high])
    label, digits = f"log₁₀({h.label})" if steep else "f(x)", len(f"{high:.0f}")
    ax.tick_params(axis="z", pad=1 + 1.2 * digits)
    ax.set_zlabel(label, fontsize=MEDIUM, color=INK, labelpad=3 + 2.4 * digits)
    _finish(figure, ax, view, h, figure.add_axes((0.84, 0.24, 0.022, 0.52)), title)
    return figure


def _colours(shown: Floats, z: Any, low: float, extent: float) -> Floats:
    """Colours (n, n, 4) of the heights, a little darker where the light does not fall."""
    from matplotlib import colormaps
    from matplotlib.colors import LightSource, LogNorm

    relative = np.ma.filled((z - low) / extent, 0.0)
    step = 1.0 / len(z)
    light = LightSource(azdeg=250, altdeg=50).hillshade(relative, dx=step, dy=step)
    colours = colormaps[_COLOURS](LogNorm(shown.min(), shown.max())(shown))
    colours[..., :3] *= (0.72 + 0.28 * light)[..., None]
    return colours


def _start(width: int, height: float, **options: Any) -> tuple[Figure, Any]:
    size = (_WIDTH, height)
    figure, (ax,) = new_figure(size, 1, 1, title="", dpi=width / _WIDTH, subplot_kw=options)
    return figure, ax


def _name(surface: Surface) -> str:
    """``Himmelblau``; with its parameters if there are others than the number of coordinates."""
    plain, text = type(surface).__name__, repr(surface)
    return plain if text in (f"{plain}()", f"{plain}(dim={surface.dim})") else text


def _marked(view: Window) -> list[tuple[Kind, Floats]]:
    """The kinds of which points are marked, with these: all minima, others if they are few."""
    kinds = [(kind, view.known(kind.attribute)) for kind in _KINDS]
    return [(k, p) for k, p in kinds if k.attribute == "minima" or len(p) <= _MOST_MARKED]


def _left_out(view: Window) -> str:
    """What is known and not marked, in words."""
    shown = {kind.attribute for kind, _ in _marked(view)}
    left = [kind for kind in _KINDS if kind.attribute not in shown]
    counts = [f"{len(view.known(kind.attribute))} {kind.plural}" for kind in left]
    return f"{' and '.join(counts)} not marked" if counts else ""


def _mark(ax: Any, points: Floats, kind: Kind, *heights: Floats) -> None:
    if len(points):
        options = {"edgecolors": "black", "linewidths": 0.9, "zorder": 5, "clip_on": False}
        options |= {"depthshade": False} if heights else {}
        ax.scatter(*points[:, :2].T, *heights, label=kind.label, **kind.style, **options)


def _finish(
    figure: Figure, ax: Any, view: Window, h: Heights, scale_axes: Axes | None, title: str
) -> None:
    """Title, labels, the scale of colours (in axes of its own if they are given), legend."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.ticker import LogLocator, NullFormatter

    ax.set_xlim(*view.box[0])
    ax.set_ylim(*view.box[1])
    name = textwrap.fill(title or _name(view.surface), 55)
    figure.suptitle(name, fontsize=LARGE, color=INK, weight="bold")
    if note := "; ".join(filter(None, [view.note, _left_out(view)])):
        words: dict[str, Any] = {"fontsize": SMALL, "color": INK}
        if scale_axes:
            figure.text(0.5, 0.915, note, ha="center", **words)
        else:
            ax.set_title(note, **words)
    x, y = ("x", "y") if view.surface.dim == 2 else ("x₁", "x₂")
    ax.set_xlabel(x, fontsize=MEDIUM, color=INK)
    ax.set_ylabel(y, fontsize=MEDIUM, color=INK)
    ax.tick_params(labelsize=SMALL, colors=INK)
    place: dict[str, Any] = (
        {"cax": scale_axes} if scale_axes else {"ax": ax, "shrink": 0.8, "aspect": 28}
    )
    if h.high < _FEW_DECADES * h.low:
        place["ticks"], place["format"] = LogLocator(subs=(1, 2, 5)), "%g"
    scale = figure.colorbar(ScalarMappable(_norm(h), _COLOURS), **place)
    scale.ax.yaxis.set_minor_formatter(NullFormatter())
    scale.set_label(h.label, fontsize=MEDIUM, color=INK)
    scale.ax.tick_params(labelsize=SMALL, colors=INK)
    scale.outline.set_visible(False)
    if ax.get_legend_handles_labels()[1]:
        where: Any = "lower center" if scale_axes else "outside lower center"
        options: dict[str, Any] = {"frameon": False, "fontsize": MEDIUM, "labelcolor": INK}
        figure.legend(loc=where, ncols=len(_KINDS), **options)
