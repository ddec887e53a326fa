"""``fastopt tour``."""

from __future__ import annotations

import dataclasses
import importlib.util
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fastopt.cli import Options, Parser, UsageError, command, count, positive, print_json, refusals
from fastopt.names import look_up

if TYPE_CHECKING:
    from fastopt.tour import Tour


def _declare(parser: Parser) -> None:
    parser.add_argument(
        "--output", metavar="DIR", default="tour", help="folder for the pictures (default: tour)"
    )
    parser.add_argument(
        "--starts", type=positive, metavar="N", default=100_000, help="per pair (default: 100,000)"
    )
    parser.add_argument(
        "--seed", type=count, metavar="N", default=0, help="of the starts (default: 0)"
    )
    parser.add_argument(
        "--rules", metavar="A,B", type=lambda text: text.split(","), help="only these rules"
    )
    parser.add_argument(
        "--surfaces", metavar="A,B", type=lambda text: text.split(","), help="only these surfaces"
    )
    parser.add_argument("--threads", type=positive, metavar="N", help="default: all processors")
    parser.add_argument("--json", action="store_true", help="print the table as JSON")


@command(_declare)
def tour(options: Options) -> None:
    """Eight rules on four surfaces from 100,000 starts: a table and pictures.

    It needs no argument, takes well under a minute, prints one table, and writes four
    pictures: paths on a bowl, success against steps, basins of attraction, and a plane of
    two parameters. The learning rates were tuned for each rule and surface; any other
    rule, asked for by --rules, is tuned then.

    example:
      fastopt tour --output /tmp/tour --rules adam,momentum
    """
    from fastopt import rules, tour, tuning

    begun = time.perf_counter()
    known = list(tuning.MAX_STEPS)
    journey = tour.Tour(
        rules=_chosen("rule", options.rules or tour.tour_rules(), rules.names()),
        surfaces=_chosen("surface of the tour", options.surfaces or known, known),
        starts=options.starts,
        seed=options.seed,
        threads=options.threads,
        progress=True,
    )
    drawing = importlib.util.find_spec("matplotlib") is not None
    if drawing:
        _check_folder(Path(options.output))
    _run(journey, quiet=options.json)
    pictures = _draw(journey, Path(options.output)) if drawing else []
    seconds = time.perf_counter() - begun
    if options.json:
        print_json(
            {
                "starts": journey.starts,
                "seed": journey.seed,
                "gradient": tuning.GRADIENT,
                "rows": [dataclasses.asdict(row) for row in journey.rows],
                "pictures": [str(path) for path in pictures],
                "seconds": seconds,
            }
        )
    else:
        work = sum(row.start_steps for row in journey.rows)
        pairs = len(journey.rows)
        print(
            f"\n{pairs} pairs, {pairs * journey.starts:,} runs, {work:.3g} start-steps "
            f"in {seconds:.1f} s"
        )
        for path in pictures:
            print(f"wrote {path}")
    if not drawing:
        print("no pictures: they need matplotlib; pip install matplotlib", file=sys.stderr)


def _run(journey: Tour, quiet: bool) -> None:
    from fastopt import tour, tuning

    pairs, shown = list(journey), None
    for place, (surface, rule) in enumerate(pairs, 1):
        note = f"running {rule} on {surface} ({place} of {len(pairs)})"
        _show(note)
        try:
            with refusals("tour"):
                row = journey.visit(surface, rule)
        finally:
            _show(" " * len(note))
        if quiet:
            continue
        if shown is None:
            print(f"{journey.starts:,} starts for each rule and surface, uniform on its bounds")
            print(f"\n{tour.HEADER}")
        if surface != shown:
            print(f"{surface}, at most {tuning.MAX_STEPS[surface]:,} steps")
            shown = surface
        print(tour.line(row), flush=True)
    if not quiet:
        print("\n" + "\n".join(tour.footnotes(journey.rows)))


def _draw(journey: Tour, folder: Path) -> list[Path]:
    _show("drawing")
    with refusals("tour"):
        folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, figure in journey.pictures():
        with refusals("tour"):
            figure.savefig(folder / name)
        paths.append(folder / name)
    _show("       ")
    return paths


def _show(note: str) -> None:
    """Say on a terminal what goes on, in a line that whatever comes next writes over."""
    if sys.stderr and sys.stderr.isatty():
        print(f"\r{note}\r", end="", file=sys.stderr, flush=True)


def _chosen(kind: str, names: Iterable[str], known: list[str]) -> list[str]:
    with refusals("tour"):
        chosen = [look_up(kind, name, {name: name for name in known}) for name in names]
    return list(dict.fromkeys(chosen))


def _check_folder(folder: Path) -> None:
    """Refuse a folder that could not be made or written to, before the work that it is for."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not there.is_dir():
        raise UsageError(f"fastopt tour: {there}: must be a folder, for the pictures (--output)")
    if not os.access(there, os.W_OK):
        raise UsageError(f"fastopt tour: {there}: this folder cannot be written to")
