"""``fastopt run``."""

from __future__ import annotations

import argparse
import os
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

import fastopt as fo
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
from fastopt.commands.problem import chosen_rule, chosen_surface, declare_problem

_STARTS = 10_000
_MOST_LISTED = 20


def _declare(parser: Parser) -> None:
    declare_problem(parser)
    group = parser.add_argument_group("the starts")
    starts = group.add_mutually_exclusive_group()
    starts.add_argument(
        "--starts", type=positive, metavar="N", help="uniform on the bounds (default: 10,000)"
    )
    starts.add_argument(
        "--start", type=vector, metavar="X,Y", action="append", help="this one; can be repeated"
    )
    group.add_argument("--seed", type=count, default=0, metavar="N", help="(default: 0)")
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
    group.add_argument("--no-stop", action="store_true", help="take all steps, unless it diverges")
    group = parser.add_argument_group("how to run, and what to do with the results")
    group.add_argument("--dtype", default="float64", help="float64 (the default) or float32")
    group.add_argument("--threads", type=positive, metavar="N", help="default: all processors")
    group.add_argument(
        "--progress",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a bar on a terminal, after a second",
    )
    group.add_argument("--output", metavar="FILE.npz", help="write the arrays of all runs")
    group.add_argument("--json", action="store_true", help="print the summary as JSON")


@command(_declare)
def run(options: Options) -> None:
    """Run one rule on one surface from many starts.

    examples:
      fastopt run adam --help
      fastopt run adam rosenbrock --learning-rate 0.1 --starts 100000
      fastopt run momentum bowl --start "-7,2" --stop-value 1e-6
    """
    rule, surface = chosen_rule(options), chosen_surface(options)
    starts = _starts(options, surface)
    output = None if options.output is None else _checked_output(options.output)
    with refusals("run"):
        runs = fo.run(
            rule,
            surface,
            starts,
            max_steps=options.max_steps,
            stop=_stop(options),
            dtype=options.dtype,
            threads=options.threads,
            progress=options.progress,
        )
        if output is not None:
            _write(output, runs, starts)
    facts = _facts(runs)
    if options.start is not None:
        facts["runs"] = _listed(runs, starts)
    if options.json:
        print_json(facts | {"output": output and str(output)})
    else:
        print("\n".join(_lines(runs, facts)))
        if output is not None:
            print(f"\nwrote {output}")


# -- what was asked for ------------------------------------------------------------------


def _starts(options: Options, surface: fo.surfaces.Surface) -> Any:
    if options.start is None:
        n = _STARTS if options.starts is None else options.starts
        low, high = surface.bounds.T
        with refusals("run"):
            return fo.starts.Uniform(low, high, n, options.seed)
    for start in options.start:
        if len(start) != surface.dim:
            raise UsageError(
                f"fastopt run: --start {','.join(f'{x:g}' for x in start)}: has {len(start)} "
                f"coordinates, but {surface!r} has {surface.dim}"
            )
    return np.array(options.start)


def _stop(options: Options) -> fo.Stop | None:
    names = ("gradient", "value", "distance")
    given = {name: getattr(options, f"stop_{name}") for name in names}
    given = {name: limit for name, limit in given.items() if limit is not None}
    escape = {} if options.escape is None else {"escape": options.escape}
    if not options.no_stop:
        return fo.Stop(**(given or {"gradient": 1e-8}), **escape)
    if given or escape:
        raise ValueError("--no-stop goes with no --stop-... option, nor with --escape")
    return None


def _checked_output(name: str) -> Path:
    """The path, refused before any work is done if it cannot be written to."""
    path = Path(name)
    if path.suffix != ".npz":
        raise UsageError(f"fastopt run: --output {name}: must end in .npz")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"fastopt run: --output {name}: cannot be written to")
    return path


# -- what came of it ---------------------------------------------------------------------


def _write(path: Path, runs: fo.Runs, starts: Any) -> None:
    np.savez(
        path,
        starts=np.asarray(starts),
        x=runs.x,
        fun=runs.fun,
        grad_norm=runs.grad_norm,
        steps=runs.steps,
        status=runs.status,
    )


def _facts(runs: fo.Runs) -> dict[str, Any]:
    rule, surface = runs.rule, runs.surface
    outcomes = {}
    for status in fo.Status:
        steps = runs.steps[runs.status == status]
        quantiles = np.quantile(steps, [0.5, 0.9, 1.0], method="inverted_cdf") if steps.size else ()
        median, p90, most = map(int, quantiles) if steps.size else (None, None, None)
        outcomes[status.name.lower()] = {
            "runs": steps.size,
            "share": steps.size / runs.steps.size,
            "median_steps": median,
            "p90_steps": p90,
            "most_steps": most,
        }
    finite = np.isfinite(runs.fun)
    best = int(np.argmin(np.where(finite, runs.fun, np.inf)))
    return {
        "rule": rule.name,
        "parameters": {name: getattr(rule, name) for name in rule.parameter_names()},
        "surface": surface.name,
        "dim": surface.dim,
        "starts": runs.steps.size,
        "max_steps": runs.max_steps,
        "outcomes": outcomes,
        "best": {"x": runs.x[best], "fun": runs.fun[best]} if finite.any() else None,
        "seconds": runs.seconds,
        "start_steps_per_second": runs.rate,
    }


def _listed(runs: fo.Runs, starts: Any) -> list[dict[str, Any]]:
    return [
        {
            "start": starts[k],
            "x": runs.x[k],
            "fun": runs.fun[k],
            "grad_norm": runs.grad_norm[k],
            "steps": runs.steps[k],
            "status": fo.Status(runs.status[k]).name.lower(),
        }
        for k in range(len(starts))
    ]


def _lines(runs: fo.Runs, facts: dict[str, Any]) -> list[str]:
    count, steps = facts["starts"], facts["max_steps"]
    title = f"{runs.rule!r} on {runs.surface!r}: {count:,} starts, at most {steps:,} steps"
    lines = [*textwrap.wrap(title, 80), ""]
    lines += [f"{'':12}{'runs':>14}{'share':>8}{'median':>12}{'90%':>12}{'most':>12} steps"]
    for name, outcome in facts["outcomes"].items():
        row = f"{name.replace('_', ' '):12}{outcome['runs']:14,}{outcome['share']:8.1%}"
        for key in ("median_steps", "p90_steps", "most_steps"):
            row += f"{'' if outcome[key] is None else format(outcome[key], ','):>12}"
        lines.append(row.rstrip())
    for status in fo.Status:
        if status != fo.Status.CONVERGED and facts["outcomes"][status.name.lower()]["runs"]:
            lines += textwrap.wrap(f"{status.name.lower().replace('_', ' ')}: {status.meaning}", 80)
    if facts["best"] is not None and "runs" not in facts:
        at = _point(facts["best"]["x"])
        lines += ["", *textwrap.wrap(f"least value {facts['best']['fun']:.6g} at {at}", 80)]
    lines += ["", *_run_lines(facts["runs"])] if "runs" in facts else []
    rate = facts["start_steps_per_second"]
    return [*lines, f"{facts['seconds']:.3g} s, {rate:.3g} start-steps a second"]


def _run_lines(runs: list[dict[str, Any]]) -> list[str]:
    lines = []
    for run in runs[:_MOST_LISTED]:
        text = (
            f"{_point(run['start'])} -> {_point(run['x'])}: f = {run['fun']:.6g}, "
            f"{run['status'].replace('_', ' ')} after {run['steps']:,} steps"
        )
        lines += textwrap.wrap(text, 80, subsequent_indent="  ")
    left = len(runs) - _MOST_LISTED
    return lines + ([f"... and {left:,} more (--json and --output have all)"] if left > 0 else [])


def _point(x: Any) -> str:
    shown = ", ".join(f"{value:.6g}" for value in x[:6])
    return f"({shown}{', ...' if len(x) > 6 else ''})"
