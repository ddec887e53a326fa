"""``fastopt stats``."""

from __future__ import annotations

import dataclasses
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import fastopt as fo
from fastopt.cli import Options, Parser, UsageError, command, number, print_json, refusals
from fastopt.commands import beside_theory
from fastopt.commands.conditions import (
    checked_picture,
    chosen_starts,
    declare_conditions,
    prepare,
    run_as_chosen,
)
from fastopt.commands.objectives import chosen_objective, described
from fastopt.commands.problem import declare_problems
from fastopt.commands.rule_lists import chosen_rules, refuse
from fastopt.ensembles import Objective

if TYPE_CHECKING:
    from fastopt.commands.beside_theory import Beside
    from fastopt.statistics import Comparisons, Counts, Table

_COMPARED = """\
1st, 2nd     share of pairs in which that rule converged in fewer steps
p-values     McNemar: as many converge; sign: as often first; Wilcoxon: as many
             steps; adjusted for the number of pairs of rules (Holm)"""
_NOTES = """\
median, 90%  steps by which so many of all runs had converged; never if too many
             diverged for that
ERT          all steps taken over the number of runs that converged"""


def _declare(parser: Parser) -> None:
    declare_problems(parser, refuse)
    group = declare_conditions(parser)
    group.add_argument(
        "--confidence", type=number, default=0.95, metavar="X", help="of intervals (default: 0.95)"
    )
    group.add_argument(
        "--compare", action="store_true", help="compare each two rules, from the same starts"
    )
    group.add_argument(
        "--theory",
        action="store_true",
        help="losses and halting times beside those of theory; on random_quadratics or quadratic",
    )
    group.add_argument(
        "--plot",
        metavar="FILE",
        help="draw success against steps, or with --theory how the losses fall; ends in .png, "
        ".pdf or .svg",
    )
    group.add_argument("--json", action="store_true", help="print the figures as JSON")


@command(_declare)
def stats(options: Options) -> None:
    """Statistics of several rules on one surface, from the same starts.

    One table: success rate (Wilson's interval), steps by which half and 90% of the runs had
    converged (Kaplan and Meier, or Aalen and Johansen where some diverged), and expected
    running time (bootstrap). A parameter given as an option is for all rules that have it;
    one given with a rule, after a colon, for that rule.

    With --theory, on quadratics, the rules run once more and take all steps: the losses at
    some of them stand beside the mean that fo.theory expects, and the median halting time
    beside that of large quadratics.

    examples:
      fastopt stats gradient_descent,momentum,adam rosenbrock --learning-rate 0.001
      fastopt stats sgd:learning_rate=0.01,sgd:learning_rate=0.02 booth --compare
      fastopt stats adam,rmsprop levy --dim 5 --stop-value 1e-4 --plot levy.png
      fastopt stats sgd:learning_rate=1 random_quadratics --max-steps 100 --theory
    """
    surface, rules = chosen_objective(options), chosen_rules(options)
    starts = chosen_starts(options, surface)
    picture = None if options.plot is None else checked_picture(options, "--plot", options.plot)
    if options.compare and len(rules) < 2:
        raise UsageError("fastopt stats: --compare: must have two rules or more")
    with refusals("stats"):  # before anything runs
        fo.statistics.table({}, confidence=options.confidence)
    predicted = beside_theory.predict(options, rules, surface) if options.theory else {}
    for rule in rules.values():
        prepare(options, rule, surface)
    ran = _run(options, rules, surface, starts)
    table = fo.statistics.table(ran.results, confidence=options.confidence)
    compared = fo.statistics.compare_many(ran.runs) if options.compare else None
    beside = {
        name: beside_theory.measure(options, rules[name], surface, starts, expected)
        for name, expected in predicted.items()
    }
    if picture is not None:
        _draw(picture, ran, options.confidence, beside)
    if options.json:
        print_json(_facts(ran, table, compared, beside) | {"plot": picture and str(picture)})
    else:
        lines = _lines(ran, table, compared)
        if beside:
            medians = {name: row.median.text(row.median.value) for name, row in table.rows.items()}
            lines += beside_theory.lines_of(beside, medians)
        print("\n".join(lines))
        if picture is not None:
            print(f"\nwrote {picture}")


class _Ran(NamedTuple):
    """What ran, and what came of it."""

    rules: dict[str, fo.rules.Rule]
    surface: Objective
    max_steps: int
    starts: int
    results: dict[str, Counts]
    runs: dict[str, fo.Runs]
    """To compare run by run; empty if that was not asked for."""
    seconds: dict[str, float]


def _run(
    options: Options,
    rules: dict[str, fo.rules.Rule],
    surface: Objective,
    starts: Any,
) -> _Ran:
    results, kept, seconds, size = {}, {}, {}, 0
    for name, rule in rules.items():
        runs = run_as_chosen(options, rule, surface, starts)
        results[name], seconds[name] = fo.statistics.Counts.of(runs), runs.seconds
        size = runs.steps.size
        if options.compare:
            kept[name] = runs
    return _Ran(rules, surface, options.max_steps, size, results, kept, seconds)


def _title(ran: _Ran) -> str:
    from fastopt.statistics.text import plural

    noun = "start" if ran.surface.count is None else "run"
    return f"{ran.surface!r}: {plural(ran.starts, noun)}, at most {ran.max_steps:,} steps"


def _draw(path: Path, ran: _Ran, confidence: float, beside: dict[str, Beside]) -> None:
    from fastopt import plot_statistics

    title = "\n".join(textwrap.wrap(_title(ran), 60))
    if beside:
        runs = {name: one.runs for name, one in beside.items()}
        expected = {name: one.loss for name, one in beside.items()}
        figure = plot_statistics.loss_band(runs, expected, title=title)
    else:
        times = {
            name: fo.statistics.hitting_time(counts, confidence=confidence)
            for name, counts in ran.results.items()
        }
        figure = plot_statistics.hitting_times(times, title)
    with refusals("stats"):
        figure.savefig(path)


def _lines(ran: _Ran, table: Table, compared: Comparisons | None) -> list[str]:
    lines = textwrap.wrap(_title(ran), 80)
    for name, rule in ran.rules.items():
        what = repr(rule) if name == rule.name else f"{name}: {rule!r}"
        lines += textwrap.wrap(what, 80, initial_indent="  ", subsequent_indent="    ")
    lines += ["", repr(table), "", *_NOTES.splitlines()]
    lines.append(f"below        {table.confidence * 100:g}% intervals")
    if compared is not None:
        lines += ["", repr(compared), "", *_COMPARED.splitlines()]
    return lines


def _facts(
    ran: _Ran, table: Table, compared: Comparisons | None, beside: dict[str, Beside]
) -> dict[str, Any]:
    rules = [
        {
            "name": name,
            "rule": rule.name,
            "parameters": {key: getattr(rule, key) for key in rule.parameter_names()},
            **dataclasses.asdict(table.rows[name]),
            "seconds": ran.seconds[name],
            "theory": beside_theory.facts_of(beside[name]) if beside else None,
        }
        for name, rule in ran.rules.items()
    ]
    pairs = None if compared is None else [dataclasses.asdict(row) for row in compared.rows]
    return {
        **described(ran.surface),
        "starts": ran.starts,
        "max_steps": ran.max_steps,
        "confidence": table.confidence,
        "rules": rules,
        "comparisons": pairs,
    }
