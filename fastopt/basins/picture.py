"""Pictures of a map: its own pixels, or a figure with axes, legend and scale."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fastopt import memory
from fastopt.basins import png
from fastopt.basins.attractors import DIVERGED, UNRESOLVED
from fastopt.basins.colours import SHADES, Scale, greys, paint, palette
from fastopt.plot import INK, LARGE, MEDIUM, SMALL, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fastopt.basins.map import BasinMap

Floats = NDArray[np.float64]

# More basins than this have no line of their own in the legend, and more marks than that would
# hide the picture.
_MOST_LISTED, _MOST_MARKED = 10, 60
_MOST_RANKED = 1 << 20
# More pixels a side than this cannot be seen in a figure.
_MOST_DRAWN = 2048
_WIDTH = 7.6
_MARKS: dict[str, dict[str, Any]] = {
    "minimum": {"marker": "*", "s": 150},
    "saddle": {"marker": "X", "s": 90},
    "maximum": {"marker": "^", "s": 80},
    "cycle": {"marker": "D", "s": 34},
}
_MARK: dict[str, Any] = {"c": "white", "edgecolors": "black", "linewidths": 0.9, "zorder": 5}


def image(basins: BasinMap, scale: Scale | None = None) -> NDArray[np.uint8]:
    """The colours (ny, nx, 3) of a map, from the top row down, without marks."""
    shades = palette(len(basins.found))
    # Runs that go round a cycle all take as many steps as they may.
    shades[_cycles(basins)] = shades[_cycles(basins), SHADES // 2, None]
    return paint(basins.labels, basins.steps, scale or scale_of([basins]), shades)


def _cycles(basins: BasinMap) -> NDArray[np.bool_]:
    return np.array([kind == "cycle" for kind in basins.found.kinds], np.bool_)


def save_image(basins: BasinMap, path: str | os.PathLike[str], marks: bool) -> None:
    """See :meth:`fastopt.BasinMap.save_image`."""
    target = Path(path)
    if target.suffix.lower() != ".png":
        raise ValueError(f"{os.fspath(path)}: must end in .png (save_image)")
    memory.require(3 * basins.labels.size, "the picture", "give a smaller map")
    colours = image(basins)
    if marks:
        for _, places in _marked(basins):
            for place in places:
                _stamp(colours, place, basins)
    png.write(target, colours)


def plot(basins: BasinMap, contours: bool, title: str) -> Figure:
    """See :meth:`fastopt.BasinMap.plot`."""
    rows, columns = basins.shape
    sides = np.diff(basins.bounds)[:, 0] * np.linalg.norm(basins.frame[1:], axis=1)
    ratio = float(np.clip(sides[1] / sides[0], 0.45, 1.6))
    listed = min(len(basins.found), _MOST_LISTED) + 3
    size = (_WIDTH, 0.74 * _WIDTH * ratio + 1.0 + 0.21 * -(-listed // 2))
    figure, (ax,) = new_figure(size, 1, 1, title="")
    (left, right), (bottom, top) = basins.bounds.tolist()
    # Every so many: matplotlib takes 60 bytes for each.
    every = -(-max(rows, columns) // _MOST_DRAWN)
    ax.imshow(
        image(basins)[::every, ::every],
        extent=(left, right, bottom, top),
        aspect="auto",
        interpolation="nearest" if max(rows, columns) < 400 else "antialiased",
    )
    if np.isclose(ratio, sides[1] / sides[0]):
        lengths = np.linalg.norm(basins.frame[1:], axis=1)
        ax.set_aspect(lengths[1] / lengths[0])
    if contours:
        _contours(ax, basins)
    for kind, places in _marked(basins):
        ax.scatter(places[:, 0], places[:, 1], **_MARK, **_MARKS[kind])
    _labels(figure, ax, basins, title)
    _legend(figure, basins)
    _colour_bar(figure, ax, basins)
    return figure


def scale_of(maps: Iterable[BasinMap]) -> Scale:
    """The scale of the steps of all these maps, by a million of their pixels at most."""
    steps = []
    for basins in maps:
        every = -(-basins.steps.size // _MOST_RANKED)
        labels, own = basins.labels.reshape(-1)[::every], basins.steps.reshape(-1)[::every]
        steps.append(own[np.append(~_cycles(basins), [False, False])[labels]])
    return Scale(np.concatenate(steps))


def plane_places(basins: BasinMap, points: Floats) -> Floats:
    """The places (m, 2), within the window, of those of *points* that lie in the plane."""
    origin, axes = basins.frame[0], basins.frame[1:]
    places = (points - origin) @ np.linalg.pinv(axes)
    off = np.abs(origin + places @ axes - points).max(axis=1, initial=0.0)
    low, high = basins.bounds.T
    inside = ((low <= places) & (places <= high)).all(axis=1)
    return np.asarray(places[inside & (off <= 2 * basins.tolerance)], np.float64)


def _marked(basins: BasinMap) -> list[tuple[str, Floats]]:
    """The kinds of attractors, with the places at which they are marked; none if too many."""
    found = basins.found
    marked = []
    for kind in _MARKS:
        orbits = [o for o, k in zip(found.orbits, found.kinds, strict=True) if k == kind]
        if orbits:
            places = plane_places(basins, np.concatenate(orbits))
            if 0 < len(places) <= _MOST_MARKED:
                marked.append((kind, places))
    return marked


def _stamp(colours: NDArray[np.uint8], place: Floats, basins: BasinMap) -> None:
    """A white disc with a black rim."""
    rows, columns = basins.shape
    share = (place - basins.bounds[:, 0]) / np.diff(basins.bounds)[:, 0]
    x, y = share[0] * columns - 0.5, (1 - share[1]) * rows - 0.5
    radius = max(min(rows, columns) / 130, 2.0)
    reach = int(np.ceil(1.5 * radius))
    top, left = max(round(y) - reach, 0), max(round(x) - reach, 0)
    window = colours[top : round(y) + reach + 1, left : round(x) + reach + 1]
    i, j = np.mgrid[top : top + window.shape[0], left : left + window.shape[1]]
    apart = np.hypot(i - y, j - x)
    window[apart <= 1.45 * radius] = 0
    window[apart <= radius] = 255


def _contours(ax: Axes, basins: BasinMap) -> None:
    surface = basins.surface
    if surface is None:
        raise ValueError("contours: a map that was read from a file has no surface to draw")
    x, y = (np.linspace(low, high, 301) for low, high in basins.bounds)
    u, v = np.meshgrid(x, y)
    origin, *axes = basins.frame
    values = surface.value(origin + u[..., None] * axes[0] + v[..., None] * axes[1])
    fine = values[np.isfinite(values)]
    if not fine.size or not np.ptp(fine) > 0:
        return
    above = values - fine.min()
    levels = np.geomspace(
        max(np.quantile(above[above > 0], 0.01), 1e-8 * above.max()), above.max(), 16
    )
    ax.contour(u, v, above, levels[:-1], colors="black", linewidths=0.45, alpha=0.45)


def _labels(figure: Figure, ax: Axes, basins: BasinMap, title: str) -> None:
    text = title or f"{basins.rule_text} on {basins.surface_text}"
    figure.suptitle(textwrap.fill(text, 62), fontsize=LARGE, color=INK, weight="bold")
    for axis, name in zip((ax.xaxis, ax.yaxis), axis_names(basins.frame), strict=True):
        axis.set_label_text(name, fontsize=MEDIUM, color=INK)
    ax.tick_params(labelsize=SMALL, colors=INK)
    for side in ax.spines.values():
        side.set_visible(False)


def axis_names(frame: Floats) -> tuple[str, str]:
    """What the axes of a plane are called."""
    if frame.shape[1] == 2 and (frame == [[0, 0], [1, 0], [0, 1]]).all():
        return "x", "y"
    names = []
    for direction, letter in zip(frame[1:], "ab", strict=True):
        one = np.flatnonzero(direction)
        along = len(one) == 1 and direction[one[0]] == 1 and frame[0, one[0]] == 0
        subscript = "".join(chr(ord("₀") + int(digit)) for digit in str(one[0] + 1))
        names.append(f"x{subscript}" if along else f"{letter} along {'uv'[letter == 'b']}")
    return names[0], names[1]


def _legend(figure: Figure, basins: BasinMap) -> None:
    from matplotlib.patches import Patch

    shares = basins.fractions()
    names = basins.found.names()
    colours = palette(len(names))[:, SHADES // 2] / 255
    order = np.argsort(-shares.value[: len(names)], kind="stable")
    shown = np.sort(order[:_MOST_LISTED])
    handles = [
        Patch(facecolor=colours[k], label=f"{names[k]}, {_percent(shares.value[k])}") for k in shown
    ]
    if len(names) > len(shown):
        rest = shares.value[order[_MOST_LISTED:]].sum()
        left = len(names) - len(shown)
        text = f"{left:,} other{'s' * (left > 1)}, {_percent(rest)}"
        handles.append(Patch(facecolor="none", edgecolor="none", label=text))
    for label, name, colour in (
        (DIVERGED, "diverged", "black"),
        (UNRESOLVED, "unresolved", "gray"),
    ):
        if shares.counts[label]:
            text = f"{name}, {_percent(shares.value[label])}"
            handles.append(Patch(facecolor=colour, label=text))
    legend_below(figure, handles)


def legend_below(figure: Figure, handles: list[Any], columns: int = 2) -> None:
    """The legend of a map or a plane, below it."""
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
        handlelength=1.2,
        handleheight=1.0,
    )


def _percent(share: float) -> str:
    return "<0.1%" if 0 < share < 0.001 else f"{share:.1%}"


def _colour_bar(figure: Figure, ax: Axes, basins: BasinMap) -> None:
    """Steps from light to dark."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm
    from matplotlib.ticker import LogLocator, NullFormatter

    if not (basins.labels >= 0).any():
        return
    scale = scale_of([basins])
    mappable = ScalarMappable(LogNorm(scale.low, scale.high), ListedColormap(greys() / 255))
    few = scale.high / scale.low < 50
    ticks = LogLocator(subs=(1, 2, 5) if few else (1,))
    bar = figure.colorbar(mappable, ax=ax, shrink=0.8, aspect=30, ticks=ticks, format="%g")
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    bar.set_label("steps, in every hue from light to dark", fontsize=MEDIUM, color=INK)
    bar.ax.tick_params(labelsize=SMALL, colors=INK)
    bar.outline.set_visible(False)
