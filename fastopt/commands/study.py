"""``fastopt study``."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastopt.cli import Options, Parser, UsageError, command, positive, print_json, refusals
from fastopt.commands.conditions import checked_picture

if TYPE_CHECKING:
    from fastopt.study import Result


def _declare(parser: Parser) -> None:
    parser.usage = "%(prog)s PLAN.toml [options]\n       %(prog)s show DIR [options]"
    parser.add_argument("plan", metavar="PLAN.toml", help="what to run; or: show DIR")
    parser.add_argument("folder", metavar="DIR", nargs="?", help="after show: the store to show")
    parser.add_argument(
        "--store", metavar="DIR", help="keep finished chunks there, and go on from those"
    )
    parser.add_argument(
        "--workers", type=positive, metavar="N", help="threads (default: all processors)"
    )
    parser.add_argument(
        "--processes", action="store_true", help="take processes instead of threads"
    )
    parser.add_argument(
        "--chunk", type=positive, metavar="N", help="runs a chunk (default: some seconds' work)"
    )
    parser.add_argument("--json", action="store_true", help="print the cells as JSON")
    group = parser.add_argument_group("after show")
    group.add_argument("--rule", metavar="LABEL,...", help="of which rules (default: all)")
    group.add_argument("--surface", metavar="LABEL,...", help="on which surfaces (default: all)")
    group.add_argument("--plot", metavar="FILE", help="draw a picture; ends in .png, .pdf or .svg")
    group.add_argument(
        "--kind",
        metavar="KIND",
        help="of picture: hitting_times (default), survival, ecdf, performance_profile or "
        "loss_band, of the best setting of each rule; success_map, over the settings of one",
    )


@command(_declare)
def study(options: Options) -> None:
    """Run rules on surfaces from any number of starts, and count what comes of it.

    The plan is a TOML file. With --store the same command goes on where it was interrupted.

      max_steps = 10_000
      targets = {from = 1e2, to = 1e-8, count = 51}
      starts = 100_000            # uniform on the bounds of each surface
      stop = {gradient = 1e-6}
      [rules.adam]
      learning_rate = [0.01, 0.1] # a list is a dimension of settings
      [surfaces.himmelblau]
      [surfaces.rosenbrock]
      dim = 10

    examples:
      fastopt study plan.toml --store results --workers 2
      fastopt study show results --plot ecdf.png --kind ecdf
      fastopt study show results --rule adam --plot map.png --kind success_map
    """
    if options.plan == "show":
        _show(options)
        return
    for name in ("rule", "surface", "plot", "kind"):
        if getattr(options, name) is not None:
            raise UsageError(f"fastopt study: --{name}: goes with show")
    if options.folder is not None:
        raise UsageError(
            f"fastopt study: {options.folder!r}: one argument too many (see fastopt study --help)"
        )
    from fastopt.study.plan_file import read_plan

    begun = time.perf_counter()
    with refusals("study"), _plain_warnings():
        chosen = read_plan(options.plan)
        try:
            result = chosen.run(
                options.store,
                "processes" if options.processes else None,
                workers=options.workers,
                chunk=options.chunk,
                progress=True,
            )
        except KeyboardInterrupt:
            if options.store is not None:
                kept = f"what is finished is in {options.store}; the same command goes on"
                print(f"fastopt study: {kept}", file=sys.stderr)
            raise
        except RuntimeError as error:
            raise UsageError(f"fastopt study: {error}") from error
    _print(result, result, options, {"seconds": time.perf_counter() - begun})


def _show(options: Options) -> None:
    if options.folder is None:
        raise UsageError("fastopt study show: the folder of a study must be given")
    for name in ("store", "workers", "chunk", "processes"):
        if getattr(options, name):
            raise UsageError(f"fastopt study show: --{name}: no such option for show")
    if options.kind is not None and options.plot is None:
        raise UsageError("fastopt study show: --kind: goes with --plot")
    picture = None if options.plot is None else checked_picture(options, "--plot", options.plot)
    from fastopt.study import load

    with refusals("study"), _plain_warnings():
        result = load(options.folder)
        shown = result.select(_labels(options.rule), _labels(options.surface))
        if picture is not None:
            kind = options.kind or "hitting_times"
            best = shown if kind == "success_map" else shown.tuned()
            best.plot(kind).savefig(picture)
    _print(result, shown, options, {"plot": picture and str(picture)})


def _print(result: Result, shown: Result, options: Options, facts: dict[str, Any]) -> None:
    if options.json:
        print_json(
            {
                "runs": result.runs,
                "planned": result.planned,
                "digest": result.digest,
                "cells": shown.rows(),
                "targets": shown.rows(targets=True),
                **facts,
            }
        )
        return
    print(shown)
    seconds = f", {facts['seconds']:.1f} s" if "seconds" in facts else ""
    print(f"\ndigest {result.digest[:16]}{seconds}")
    if facts.get("plot"):
        print(f"wrote {facts['plot']}")


def _labels(given: str | None) -> list[str] | None:
    return None if given is None else given.split(",")


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """What is wrong with a store, as a line each."""

    def show(message: Warning | str, *_: Any) -> None:
        print(f"fastopt study: {message}", file=sys.stderr)

    from fastopt.study import StoreWarning

    with warnings.catch_warnings():
        warnings.simplefilter("always", StoreWarning)
        warnings.showwarning = show  # type: ignore[assignment]
        yield
