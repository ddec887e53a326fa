"""``fastopt sweep``."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fastopt.cli import (
    Options,
    Parser,
    UsageError,
    command,
    count,
    number,
    positive,
    print_json,
    refusals,
    vector,
)
from fastopt.commands.objectives import chosen_surface
from fastopt.commands.problem import (
    chosen_rule,
    declare_parameters,
    given_parameters,
    put_in_order,
)
from fastopt.commands.running import (
    checked_output,
    chosen_stop,
    declare_outputs,
    declare_running,
    declare_stop,
)
from fastopt.commands.saved import declare_saved, saved_file
from fastopt.names import look_up

if TYPE_CHECKING:
    import fastopt as fo

_ENDINGS = (".npz", ".png", ".pdf", ".svg")
_COUNT = 200


def _declare(parser: Parser) -> None:
    parser.usage = "%(prog)s SURFACE RULE [options]\n       %(prog)s FILE.npz [options]"
    parser.add_argument(
        "surface", metavar="SURFACE", help="such as bowl, or a formula; or a saved plane"
    )
    parser.add_argument("rule", metavar="RULE", nargs="?", help="such as adam; all: fastopt list")
    group = parser.add_argument_group("the plane of parameters")
    group.add_argument(
        "--over",
        type=_range,
        action="append",
        default=[],
        metavar="NAME=LOW:HIGH[:N][:log]",
        help="twice: first of the columns, then of the rows (N: 200)",
    )
    starts = group.add_mutually_exclusive_group()
    starts.add_argument(
        "--start", type=vector, metavar="X,Y", help="default: the usual start of SURFACE"
    )
    starts.add_argument(
        "--starts", type=positive, metavar="N", help="means over N starts, uniform on the bounds"
    )
    group.add_argument("--seed", type=count, default=0, metavar="N", help="(default: 0)")
    declare_outputs(group, "plane.png (or .pdf, .svg) or plane.npz")
    group.add_argument(
        "--show", metavar="WHAT", help="in the picture: steps, converged, diverged or fun"
    )
    declare_stop(parser)
    group = declare_running(parser)
    group.add_argument("--json", action="store_true", help="print the results as JSON")
    declare_parameters(parser)
    declare_saved(parser, "output", "show", "json", "progress")


@command(_declare)
def sweep(options: Options) -> None:
    """Run a rule over a plane of two of its parameters, and draw what came of it.

    examples:
      fastopt sweep momentum bowl --over learning_rate=1e-3:10:300:log \\
          --over momentum=0:0.99 -o plane.png -o plane.npz
      fastopt sweep plane.npz --show fun -o fun.png
    """
    outputs = [checked_output(options, "--output", name, _ENDINGS) for name in options.output]
    if any(path.suffix != ".npz" for path in outputs) and not _can_draw():
        raise UsageError("fastopt sweep: a picture needs matplotlib; pip install matplotlib")
    plane = _plane(options)
    with refusals("sweep"):
        for path in outputs:
            _write(plane, path, options.show or "")
    if options.json:
        print_json(_facts(plane) | {"written": [str(path) for path in outputs]})
    else:
        lines = [repr(plane), f"{plane.seconds:.3g} s", *(f"wrote {path}" for path in outputs)]
        print("\n".join(lines))


def _plane(options: Options) -> fo.ParameterMap:
    import fastopt as fo

    if file := saved_file(options, "plane"):
        with refusals("sweep"):
            return fo.ParameterMap.load(file)
    put_in_order(options)
    if len(options.over) != 2:
        raise UsageError(
            "fastopt sweep: needs --over twice, such as --over learning_rate=1e-3:1:log "
            "--over momentum=0:0.99 (see fastopt sweep --help)"
        )
    rule, surface = chosen_rule(options), chosen_surface(options)
    with refusals("sweep"):
        over = {_full_name(name, rule): values for name, values in options.over}
        return fo.parameter_map(
            type(rule),
            surface,
            _starts(options, surface),
            over,
            fixed=given_parameters(options),
            max_steps=options.max_steps,
            stop=chosen_stop(options),
            dtype=options.dtype,
            threads=options.threads,
            progress=options.progress,
        )


def _can_draw() -> bool:
    return importlib.util.find_spec("matplotlib") is not None


def _write(plane: fo.ParameterMap, path: Path, what: str) -> None:
    if path.suffix == ".npz":
        plane.save(path)
    else:
        plane.plot(what).savefig(path)


def _full_name(name: str, rule: fo.rules.Rule) -> str:
    return look_up("parameter", name, {known: known for known in rule.parameter_names()})


def _starts(options: Options, surface: fo.Surface) -> Any:
    import fastopt as fo

    if options.starts is not None:
        low, high = surface.bounds.T
        return fo.starts.Uniform(low, high, options.starts, options.seed)
    return surface.usual_start if options.start is None else options.start


def _facts(plane: fo.ParameterMap) -> dict[str, Any]:
    names = ("names", "x", "y", "starts", "max_steps", "converged", "diverged", "steps", "fun")
    facts = {name: getattr(plane, name) for name in names}
    rule = {"rule": plane.rule_text, "surface": plane.surface_text}
    return rule | facts | {"best": plane.best(), "seconds": plane.seconds}


def _range(text: str) -> tuple[str, np.ndarray]:
    """``learning_rate=1e-3:1:50:log``."""
    name, equals, values = text.partition("=")
    parts = values.split(":")
    log = parts[-1] == "log"
    parts = parts[:-1] if log else parts
    if not equals or len(parts) not in (2, 3):
        raise argparse.ArgumentTypeError(f"{text!r}: must be NAME=LOW:HIGH, :N and :log if wanted")
    low, high = number(parts[0]), number(parts[1])
    n = positive(parts[2]) if len(parts) == 3 else _COUNT
    if not (np.isfinite([low, high]).all() and low < high):
        raise argparse.ArgumentTypeError(f"{text!r}: must be finite, LOW < HIGH")
    if log and low <= 0:
        raise argparse.ArgumentTypeError(f"{text!r}: LOW must be > 0 for a logarithmic axis")
    return name, np.geomspace(low, high, n) if log else np.linspace(low, high, n)
