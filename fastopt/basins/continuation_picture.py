"""Pictures of basins over a parameter: bands of shares, and an animation of the maps."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastopt.basins import picture
from fastopt.basins.colours import SHADES, palette
from fastopt.basins.plane_picture import is_geometric
from fastopt.plot import INK, LARGE, MEDIUM, SMALL, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fastopt.basins.continuation import Continuation

_MOST_LISTED = 12
# Attractors that are named below an animation, and its least width in pixels.
_MOST_BELOW, _NARROWEST = 6, 280


def plot(made: Continuation, title: str) -> Figure:
    """See :meth:`Continuation.plot`."""
    from matplotlib.ticker import PercentFormatter

    k = len(made.found)
    hues: list[Any] = [*(palette(k)[:, SHADES // 2] / 255), "#808080", "#000000"]
    names = [*made.found.names(), "unresolved", "diverged"]
    shown = [n for n in range(k + 2) if n < k or made.share[:, n].any()]
    listed = min(len(shown), _MOST_LISTED)
    figure, (ax,) = new_figure((7.6, 4.4 + 0.11 * listed), 1, 1, title="")
    bands = ax.stackplot(
        made.values,
        made.share[:, shown].T,
        colors=[hues[n] for n in shown],
        labels=[names[n] for n in shown],
        edgecolor="white",
        linewidth=0.4,
    )
    if is_geometric(made.values):
        ax.set_xscale("log")
    if len(made.values) > 1:
        ax.set_xlim(made.values.min(), made.values.max())
    ax.set_ylim(0, 1)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    ax.set_xlabel(made.name.replace("_", " "), fontsize=MEDIUM, color=INK)
    ax.set_ylabel("share of starts", fontsize=MEDIUM, color=INK)
    ax.tick_params(labelsize=SMALL, colors=INK, which="both")
    for side in ax.spines.values():
        side.set_visible(False)
    figure.suptitle(
        textwrap.fill(title or f"Basins over the {made.name.replace('_', ' ')}", 62),
        fontsize=LARGE,
        color=INK,
        weight="bold",
    )
    picture.legend_below(figure, list(bands[:_MOST_LISTED]))
    return figure


def save_animation(made: Continuation, path: Path, seconds: float) -> None:
    """Write the maps as a GIF, each with its parameter below it."""
    try:
        from PIL import Image, ImageDraw
    except ImportError:
        raise ImportError("save_animation() needs Pillow: pip install 'fastopt[plot]'") from None
    pages, scale = [], picture.scale_of(made.frames)
    middle = palette(len(made.found))[:, SHADES // 2]
    often = np.argsort(-made.share[:, : len(middle)].sum(axis=0), kind="stable")
    listed = [(made.found.names()[k], tuple(middle[k].tolist())) for k in often[:_MOST_BELOW]]
    for frame, value in zip(made.frames, made.values, strict=True):
        colours = picture.image(frame, scale)
        larger = -(-_NARROWEST // colours.shape[1])
        colours = colours.repeat(larger, axis=0).repeat(larger, axis=1)
        height, line = len(colours), max(colours.shape[1] // 20, 14)
        strip = np.full((line * (1 + len(listed)), colours.shape[1], 3), 255, np.uint8)
        page = Image.fromarray(np.concatenate([colours, strip]))
        pen = ImageDraw.Draw(page)
        text = f"{made.name.replace('_', ' ')} = {value:.4g}"
        pen.text((6, height + 1), text, fill=INK, font_size=line - 4)
        for row, (name, colour) in enumerate(listed, 1):
            top = height + row * line
            pen.rectangle((6, top + 2, line, top + line - 4), fill=colour)
            pen.text((line + 6, top + 1), name, fill=INK, font_size=line - 4)
        pages.append(page)
    pages[0].save(
        path,
        save_all=True,
        append_images=pages[1:],
        duration=max(round(1000 * seconds), 10),
        loop=0,
    )
