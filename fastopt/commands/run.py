"""``fastopt run``."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import numpy as np

import fastopt as fo
from fastopt.cli import Options, Parser, command, print_json, refusals
from fastopt.commands.conditions import chosen_starts, declare_conditions, run_as_chosen
from fastopt.commands.objectives import chosen_objective, described
from fastopt.commands.problem import chosen_rule, declare_problem
from fastopt.commands.running import checked_output

_MOST_LISTED = 20


def _declare(parser: Parser) -> None:
    declare_problem(parser)
    group = declare_conditions(parser)
    group.add_argument("--output", metavar="FILE.npz", help="write the arrays of all runs")
    group.add_argument("--json", action="store_true", help="print the summary as JSON")


@command(_declare)
def run(options: Options) -> None:
    """Run one rule on one surface from many starts.

    examples:
      fastopt run adam --help
      fastopt run adam rosenbrock --learning-rate 0.1 --starts 100000
      fastopt run momentum bowl --start "-7,2" --stop-value 1e-6
      fastopt run adam random_quadratics --spectrum uniform:low=1:high=3
    """
    rule, surface = chosen_rule(options), chosen_objective(options)
    starts = chosen_starts(options, surface)
    output = options.output and checked_output(options, "--output", options.output, (".npz",))
    runs = run_as_chosen(options, rule, surface, starts)
    if output is not None:
        with refusals("run"):
            _write(output, runs, starts)
    facts = _facts(runs)
    if options.start is not None and runs.surface.count is None:
        facts["runs"] = _listed(runs, starts)
    if options.json:
        print_json(facts | {"output": output and str(output)})
    else:
        print("\n".join(_lines(runs, facts)))
        if output:
            print(f"\nwrote {output}")


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
    return {
        "rule": rule.name,
        "parameters": {name: getattr(rule, name) for name in rule.parameter_names()},
        **described(surface),
        "starts": runs.steps.size,
        "max_steps": runs.max_steps,
        "outcomes": outcomes,
        "best": _best(runs),
        "path": runs.path,
        "seconds": runs.seconds,
        "start_steps_per_second": runs.rate,
    }


def _best(runs: fo.Runs) -> dict[str, Any] | None:
    """The least value and where it is; that of an ensemble would say nothing."""
    finite = np.isfinite(runs.fun)
    if runs.surface.count is not None or not finite.any():
        return None
    best = int(np.argmin(np.where(finite, runs.fun, np.inf)))
    return {"x": runs.x[best], "fun": runs.fun[best]}


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
    noun = "starts" if runs.surface.count is None else "runs"
    title = f"{runs.rule!r} on {runs.surface!r}: {count:,} {noun}, at most {steps:,} steps"
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
