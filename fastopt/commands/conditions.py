"""From which starts and until when to run, and pictures: for subcommands that run batches."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

import fastopt as fo
from fastopt.cli import Options, Parser, UsageError, count, positive, refusals, vector
from fastopt.commands.running import checked_output, chosen_stop, declare_running, declare_stop

_STARTS = 10_000
_PICTURES = (".png", ".pdf", ".svg")


def declare_conditions(parser: Parser) -> Any:
    """Add the starts, when a run ends, and how to run; returns the last group, to add to."""
    group = parser.add_argument_group("the starts")
    starts = group.add_mutually_exclusive_group()
    starts.add_argument(
        "--starts", type=positive, metavar="N", help="uniform on the bounds (default: 10,000)"
    )
    starts.add_argument(
        "--start", type=vector, metavar="X,Y", action="append", help="this one; can be repeated"
    )
    group.add_argument("--seed", type=count, default=0, metavar="N", help="(default: 0)")
    group = declare_stop(parser)
    group.add_argument("--no-stop", action="store_true", help="take all steps, unless it diverges")
    return declare_running(parser)


def chosen_starts(options: Options, surface: fo.surfaces.Surface) -> Any:
    """The starts that were asked for."""
    if options.start is None:
        n = _STARTS if options.starts is None else options.starts
        low, high = surface.bounds.T
        with refusals(options.command):
            return fo.starts.Uniform(low, high, n, options.seed)
    for start in options.start:
        if len(start) != surface.dim:
            raise UsageError(
                f"fastopt {options.command}: --start {','.join(f'{x:g}' for x in start)}: has "
                f"{len(start)} coordinates, but {surface!r} has {surface.dim}"
            )
    return np.array(options.start)


def prepare(options: Options, rule: fo.rules.Rule, surface: fo.surfaces.Surface) -> None:
    """Compile what *rule* needs, and refuse what it cannot run under, before anything runs."""
    with refusals(options.command):
        fo.warmup(rule, surface, stop=_stop(options), dtype=options.dtype)


def run_as_chosen(
    options: Options, rule: fo.rules.Rule, surface: fo.surfaces.Surface, starts: Any
) -> fo.Runs:
    """Run *rule* under the conditions that were asked for."""
    with refusals(options.command):
        return fo.run(
            rule,
            surface,
            starts,
            max_steps=options.max_steps,
            stop=_stop(options),
            dtype=options.dtype,
            threads=options.threads,
            progress=options.progress,
        )


def checked_picture(options: Options, option: str, name: str) -> Path:
    """The path of a picture, refused as well if nothing can draw it."""
    path = checked_output(options, option, name, _PICTURES)
    if importlib.util.find_spec("matplotlib") is None:
        raise UsageError(f"fastopt {options.command}: needs matplotlib; pip install matplotlib")
    return path


def _stop(options: Options) -> fo.Stop | None:
    if not options.no_stop:
        return chosen_stop(options)
    limits = (options.stop_gradient, options.stop_value, options.stop_distance, options.escape)
    if limits != (None,) * 4:
        raise ValueError("--no-stop goes with no --stop-... option, nor with --escape")
    return None
