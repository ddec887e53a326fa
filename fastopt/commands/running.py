"""When runs end, and how they are run: options that several subcommands have."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import numpy as np

import fastopt as fo
from fastopt.cli import Options, Parser, UsageError, count, number, positive, vector


def declare_stop(parser: Parser) -> Any:
    """Add when a run ends; returns the group of options."""
    group = parser.add_argument_group("when a run ends (by default at --stop-gradient 1e-8)")
    group.add_argument(
        "--stop-gradient", type=number, metavar="X", help="converged: gradient norm <= X"
    )
    group.add_argument(
        "--stop-value", type=number, metavar="X", help="converged: at most X above the minimum"
    )
    group.add_argument(
        "--stop-distance", type=number, metavar="X", help="converged: a minimum within X"
    )
    group.add_argument(
        "--escape", type=number, metavar="X", help="diverged: a coordinate beyond X (default: 1e10)"
    )
    group.add_argument(
        "--max-steps", type=count, default=10_000, metavar="N", help="(default: 10,000)"
    )
    return group


def chosen_stop(options: Options) -> fo.Stop:
    """The criteria that were asked for."""
    names = ("gradient", "value", "distance")
    given = {name: getattr(options, f"stop_{name}") for name in names}
    given = {name: limit for name, limit in given.items() if limit is not None}
    escape = {} if options.escape is None else {"escape": options.escape}
    return fo.Stop(**(given or {"gradient": 1e-8}), **escape)


def declare_running(parser: Parser) -> Any:
    """Add how to run; returns the group of options."""
    group = parser.add_argument_group("how to run, and what to do with the results")
    group.add_argument("--dtype", default="float64", help="float64 (the default) or float32")
    group.add_argument("--threads", type=positive, metavar="N", help="default: all processors")
    group.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a bar on a terminal, after a second",
    )
    return group


def bounds(text: str) -> np.ndarray:
    """A window: ``A,B`` for both coordinates, or ``A,B,C,D``."""
    ends = vector(text)
    if len(ends) not in (2, 4):
        raise argparse.ArgumentTypeError(f"{text!r}: must be 2 or 4 numbers, separated by commas")
    return np.reshape(ends, (-1, 2)).squeeze()


def shape(text: str) -> tuple[int, int]:
    """``ROWSxCOLUMNS``, or one number for both."""
    sides = [positive(part) for part in text.lower().split("x")]
    if len(sides) > 2:
        raise argparse.ArgumentTypeError(f"{text!r}: must be ROWSxCOLUMNS, such as 1024x1024")
    return sides[0], sides[-1]


def declare_outputs(group: Any, help: str) -> None:
    """Add ``-o``, which can be repeated."""
    group.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        action="append",
        default=[],
        help=f"{help}; can be repeated",
    )


def checked_output(options: Options, option: str, name: str, endings: tuple[str, ...]) -> Path:
    """The path, refused before any work is done if it cannot be written to."""
    path, said = Path(name), f"fastopt {options.command}: {option} {name}"
    if path.suffix.lower() not in endings:
        raise UsageError(f"{said}: must end in {', '.join(endings)}")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{said}: cannot be written to")
    return path
