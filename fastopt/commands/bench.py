"""``fastopt bench``."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING

from fastopt.cli import Options, Parser, UsageError, command, positive, print_json, refusals
from fastopt.commands.conditions import checked_picture
from fastopt.names import look_up
from fastopt.workers import processors

if TYPE_CHECKING:
    from fastopt.bench.report import Report

_STARTS, _STEPS = 100_000, 1_000
_QUICKLY = 10


def _declare(parser: Parser) -> None:
    parser.add_argument(
        "rules",
        metavar="RULES",
        nargs="?",
        type=lambda text: text.split(","),
        help="such as adam,lion (default: gradient_descent,momentum,adam)",
    )
    parser.add_argument(
        "--starts", type=positive, metavar="N", default=_STARTS, help="a rule (default: 100,000)"
    )
    parser.add_argument(
        "--steps", type=positive, metavar="N", default=_STEPS, help="a start (default: 1,000)"
    )
    parser.add_argument("--threads", type=positive, metavar="N", help="default: all processors")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the steps, fewer forms and repeats"
    )
    parser.add_argument(
        "--peers",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="compare with JAX, torch, NumPy, SciPy and C++, where they are installed",
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--plot", metavar="FILE", help="draw them; ends in .png, .pdf or .svg")


@command(_declare)
def bench(options: Options) -> None:
    """How fast this machine runs, what it reaches of its limits, and its peers.

    It measures what the machine does at most (multiply-adds, divisions and square roots,
    memory, a matrix product), then the rate of the rules on 2-D Rosenbrock as a share of
    that, and how many times as fast that is as JAX, torch, NumPy, SciPy and a C++ loop:
    those that are installed, each of which must compute the same points. The exit status
    is 1 if one does not. In half a minute; other programs should not run meanwhile.

    examples:
      fastopt bench
      fastopt bench adam,lion,rmsprop --no-peers --threads 1
      fastopt bench --plot bench.png
    """
    from fastopt import rules
    from fastopt.bench import rates
    from fastopt.bench.report import Report, confined

    begun = time.perf_counter()
    with refusals("bench"):
        known = {name: name for name in rules.names()}
        chosen = [look_up("rule", name, known) for name in options.rules or rates.RULES]
    picture = None if options.plot is None else checked_picture(options, "--plot", options.plot)
    threads = _threads(options)
    with confined(threads):
        with refusals("bench"):
            report = Report(
                rules=list(dict.fromkeys(chosen)),
                starts=options.starts,
                steps=max(options.steps // (_QUICKLY if options.quick else 1), 1),
                threads=threads,
                quick=options.quick,
                say=_show,
            )
        _measure(report, options)
    _show("")
    if picture is not None:
        from fastopt.bench.picture import draw

        with refusals("bench"):
            draw(report).savefig(picture)
    seconds = time.perf_counter() - begun
    if options.json:
        print_json(report.as_dict() | {"seconds": seconds, "picture": picture and str(picture)})
    else:
        print(f"\n{seconds:.0f} s" + (f"; wrote {picture}" if picture else ""))
    if report.different:
        raise SystemExit(1)


def _threads(options: Options) -> int:
    most = processors()
    if (options.threads or 1) > most:
        raise UsageError(
            f"fastopt bench: --threads {options.threads}: must be at most {most}, the processors "
            "that this process may use"
        )
    return options.threads or most


def _measure(report: Report, options: Options) -> None:
    """Measure section by section, and print each when it is done."""
    from fastopt import info
    from fastopt.bench import text

    def section(lines: list[str], end: str = "\n") -> None:
        _show("")
        if not options.json:
            print("\n".join(lines) + end, flush=True)

    section(text.machine_lines(report.machine, report.threads, info.vector_bits()))
    with refusals("bench"):
        found = report.measure_limits()
    section(text.limit_lines(found))
    section(text.reached_lines(report.measure_rates()))
    if options.peers:
        section(text.ratio_lines(report.measure_ratios()))
        section(text.convergence_lines(report.measure_converging()))
        count = len(report.ratios + report.converging)
        section(text.verdict_lines(report.different, report.skipped, count))
    if disturbed := text.disturbed_lines(report.processors):
        section(disturbed, end="")
    compared_with = {row.peer for row in report.ratios + report.converging}
    section(text.legend_lines(report.reached, compared_with), end="")


def _show(note: str) -> None:
    """Say on a terminal what goes on, in a line that whatever comes next writes over."""
    if sys.stderr and sys.stderr.isatty():
        print(f"\r{note:<79}\r", end="", file=sys.stderr, flush=True)
