"""``fastopt plot``."""

from __future__ import annotations

import argparse

from fastopt.cli import Options, Parser, command, count, refusals
from fastopt.commands.conditions import checked_picture
from fastopt.commands.objectives import chosen_surface, declare_surface
from fastopt.commands.running import bounds

_LEAST, _MOST = 200, 10_000


def _declare(parser: Parser) -> None:
    parser.add_argument("surface", metavar="SURFACE", help="such as himmelblau, or a formula")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="ends in .png, .pdf or .svg (default: SURFACE.png)"
    )
    parser.add_argument("--3d", dest="relief", action="store_true", help="a view in 3 dimensions")
    parser.add_argument(
        "--bounds", type=bounds, metavar="A,B", help="of x and y, or A,B,C,D: of x, then of y"
    )
    parser.add_argument(
        "--size", type=_size, default=1400, metavar="N", help="width in pixels (default: 1400)"
    )
    declare_surface(parser)


@command(_declare)
def plot(options: Options) -> None:
    """A picture of a surface: its contours, with the minima marked.

    Of a surface of more than two coordinates it shows the first two, the others being
    those of its minimum, or of its usual start if none is known.

    examples:
      fastopt plot himmelblau -o him.png
      fastopt plot rosenbrock --dim 10 --3d
      fastopt plot ackley --bounds -5,5
    """
    surface = chosen_surface(options)
    path = checked_picture(options, "--output", options.output or f"{surface.name}.png")
    from fastopt import plot_surface

    draw = plot_surface.relief if options.relief else plot_surface.contours
    with refusals("plot"):
        figure = draw(surface, options.bounds, options.size)
        figure.savefig(path)
    print(f"wrote {path}")


def _size(text: str) -> int:
    if not _LEAST <= (value := count(text)) <= _MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: must be from {_LEAST} to {_MOST:,}")
    return value
