"""``fastopt basin``."""

from __future__ import annotations

import argparse
import importlib.util
import math
from typing import TYPE_CHECKING, Any

from fastopt.cli import (
    Options,
    Parser,
    UsageError,
    command,
    count,
    number,
    print_json,
    refusals,
)
from fastopt.commands.objectives import chosen_surface
from fastopt.commands.problem import (
    chosen_rule,
    declare_parameters,
    put_in_order,
)
from fastopt.commands.running import (
    bounds,
    checked_output,
    chosen_stop,
    declare_outputs,
    declare_running,
    declare_stop,
    shape,
)
from fastopt.commands.saved import declare_saved, saved_file

if TYPE_CHECKING:
    import fastopt as fo

_PICTURES = (".png", ".pdf", ".svg")
_LEAST_SCALING = 64


def _declare(parser: Parser) -> None:
    parser.usage = "%(prog)s SURFACE RULE [options]\n       %(prog)s FILE.npz [options]"
    parser.add_argument(
        "surface", metavar="SURFACE", help="such as himmelblau, or a formula; or a saved map"
    )
    parser.add_argument("rule", metavar="RULE", nargs="?", help="such as adam; all: fastopt list")
    group = parser.add_argument_group("the map")
    group.add_argument(
        "--shape", type=shape, default=(1024, 1024), metavar="NxM", help="(default: 1024x1024)"
    )
    group.add_argument(
        "--bounds", type=bounds, metavar="A,B", help="of x and y, or A,B,C,D: of x, then of y"
    )
    group.add_argument(
        "--slice", type=_axes, metavar="I,J", help="which coordinates to show (default: 1,2)"
    )
    group.add_argument(
        "--tolerance", type=number, metavar="X", help="ends so close are one attractor"
    )
    group.add_argument(
        "--longest-cycle", type=count, default=64, metavar="N", help="period (default: 64)"
    )
    group.add_argument(
        "--refine", action="store_true", help="run only what is near a boundary, fill the rest"
    )
    declare_outputs(group, "map.png: its pixels; map.npz: the map itself")
    group.add_argument(
        "--figure", metavar="FILE", help="with axes and legend; ends in .png, .pdf or .svg"
    )
    group.add_argument("--contours", action="store_true", help="in the figure, those of SURFACE")
    group.add_argument("--fidelity", action="store_true", help="compare with gradient flow")
    declare_stop(parser)
    group = declare_running(parser)
    group.add_argument("--json", action="store_true", help="print the results as JSON")
    declare_parameters(parser)
    declare_saved(parser, "output", "figure", "json", "progress")


@command(_declare)
def basin(options: Options) -> None:
    """A map of basins of attraction: where the run from each pixel ends.

    It prints the share of each basin and measures of their boundary, and writes the map
    as a picture or as a file, which can be given instead of SURFACE and RULE.

    examples:
      fastopt basin himmelblau adam --learning-rate 0.05 --shape 2048x2048 -o map.png
      fastopt basin harmonic_quartic newton -o map.npz --figure map.pdf
      fastopt basin map.npz --figure map.png
    """
    endings = (".png", ".npz")
    outputs = [checked_output(options, "--output", name, endings) for name in options.output]
    figure = options.figure
    if figure:
        figure = checked_output(options, "--figure", figure, _PICTURES)
    if figure and importlib.util.find_spec("matplotlib") is None:
        raise UsageError("fastopt basin: --figure needs matplotlib; pip install matplotlib")
    basins = _map(options)
    facts = _facts(basins, options)
    with refusals("basin"):
        for path in outputs:
            basins.save(path) if path.suffix == ".npz" else basins.save_image(path)
        if figure:
            basins.plot(contours=options.contours).savefig(figure)
    written = [str(path) for path in (*outputs, figure) if path]
    if options.json:
        print_json(facts | {"written": written})
    else:
        print("\n".join([*_lines(basins, facts), *(f"wrote {path}" for path in written)]))


def _map(options: Options) -> fo.BasinMap:
    import fastopt as fo

    if file := saved_file(options, "map"):
        with refusals("basin"):
            return fo.BasinMap.load(file)
    put_in_order(options)
    rule, surface = chosen_rule(options), chosen_surface(options)
    with refusals("basin"):
        return fo.basin_map(
            rule,
            surface,
            options.bounds,
            options.shape,
            slice=options.slice,
            max_steps=options.max_steps,
            stop=chosen_stop(options),
            tolerance=options.tolerance,
            longest_cycle=options.longest_cycle,
            refine=options.refine,
            dtype=options.dtype,
            threads=options.threads,
            progress=options.progress,
        )


def _axes(text: str) -> tuple[int, int]:
    """Two coordinates, counted from 1."""
    parts = [count(part) for part in text.split(",")]
    if len(parts) != 2 or min(parts) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: must be two coordinates from 1, such as 1,3")
    return parts[0] - 1, parts[1] - 1


# -- what came of it ---------------------------------------------------------------------


def _facts(basins: fo.BasinMap, options: Options) -> dict[str, Any]:
    shares, found = basins.fractions(), basins.found
    names = [*zip(found.kinds, found.matched, strict=True), ("unresolved", ""), ("diverged", "")]
    rows = []
    for k, (kind, matched) in enumerate(names):
        own = k < len(found)
        rows.append(
            {
                "label": k if own else k - len(names),
                "kind": kind,
                "known_as": matched or None,
                "points": found.orbits[k] if own else None,
                "fun": found.values[k] if own else None,
                "share": shares.value[k],
                "low": shares.low[k],
                "high": shares.high[k],
            }
        )
    facts: dict[str, Any] = {
        "rule": basins.rule_text,
        "surface": basins.surface_text,
        "shape": basins.shape,
        "bounds": basins.bounds,
        "tolerance": basins.tolerance,
        "share_run": basins.share_run,
        "basins": rows,
        "measures": _measures(basins),
        "seconds": basins.seconds,
        "run_seconds": basins.run_seconds,
    }
    if options.fidelity:
        with refusals("basin"):
            fidelity = basins.fidelity()
        facts["fidelity"] = {name: getattr(fidelity, name) for name in ("value", "low", "high")}
    return facts


def _measures(basins: fo.BasinMap) -> dict[str, Any]:
    """What the map is large enough for."""
    shorter, found = min(basins.shape), {}
    if shorter >= 5:
        found["basin_entropy"] = basins.entropy()
        found["boundary_basin_entropy"] = basins.boundary_entropy()
    if shorter >= _LEAST_SCALING:
        scaling = basins.uncertainty_exponent()
        found["uncertainty_exponent"] = scaling.exponent
        found["boundary_dimension"] = scaling.dimension
    return {
        name: {"value": estimate.value, "error": estimate.error} for name, estimate in found.items()
    }


def _lines(basins: fo.BasinMap, facts: dict[str, Any]) -> list[str]:
    lines = [*repr(basins).splitlines(), ""]
    for name, estimate in facts["measures"].items():
        value, error = estimate["value"], estimate["error"]
        if math.isfinite(value):
            lines.append(f"{name.replace('_', ' '):28}{value:10.4f} ± {error:.4f}")
    if "fidelity" in facts:
        fidelity = facts["fidelity"]
        interval = f"({fidelity['low']:.2%} to {fidelity['high']:.2%})"
        lines.append(f"{'ends where the flow ends':28}{fidelity['value']:10.2%} {interval}")
    return [*lines, f"{basins.seconds:.3g} s, of which the runs {basins.run_seconds:.3g} s"]
