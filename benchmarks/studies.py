"""What studies take: ``python benchmarks/studies.py [--quick] [--only NAME]``.

Each row is measured in a process of its own, for peaks of memory that are the study's. Beside
a study's time stands that of ``fo.run`` for as many of the same runs, in parts that fit into
memory, of which nothing is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from study_rows import RULES, SURFACES, TARGETS, measured
from table import Table, duration, megabytes

from fastopt.bench.machine import describe, missing

MINUTES_ASKED = 10 * 60
CELLS_MEMORY_ASKED, STARTS_MEMORY_ASKED = 500, 300
RATE_ASKED, LINEAR_ASKED, FLAT_ASKED = 0.8, 1.1, 1.05
REDUCTION_ASKED = 1.1
DASK_ASKED = 1.7


def cells(table: Table, quick: bool) -> None:
    """Many rules on many surfaces, with targets."""
    n, steps = (10**3, 10**3) if quick else (10**5, 10**4)
    size = f"{len(RULES)} rules x {len(SURFACES)} surfaces"
    found = measured("many_cells", n, steps)
    table.section(f"{size}, {steps:,} steps at most, {len(TARGETS)} targets", "s or MB")
    total = n * len(RULES) * len(SURFACES)
    table.limit("time, compilation included", total, found["seconds"], MINUTES_ASKED, duration)
    table.limit("memory at the peak", total, found["peak"] / 1e6, CELLS_MEMORY_ASKED, megabytes)
    rate = found["steps"] / found["seconds"] / 1e6
    print(f"{found['steps'] / total:,.0f} steps a run on average, {rate:,.0f} M start-steps/s")


def starts(table: Table, quick: bool) -> None:
    """Gradient descent on Himmelblau from very many starts."""
    sizes = (10**6, 3 * 10**6) if quick else (10**7, 10**8)
    title = "Gradient descent on Himmelblau to a gradient of 1e-6"
    found = {}
    table.section(f"{title}, against fo.run (as peer)", "M runs/s")
    for n in sizes:
        found[n] = measured("many_starts", n, 3 if n < 10**8 else 1)
        rates = [n / found[n][side] / 1e6 for side in ("study", "engine")]
        table.rates("a study", n, *rates, RATE_ASKED)
    few, many = sizes
    table.section(f"{title}: memory at the peak of a study", "MB")
    for n in sizes:
        peak = found[n]["peak"] / 1e6
        table.limit("a study", n, peak, STARTS_MEMORY_ASKED, megabytes)
    table.section(f"{title}: {many:.0e} starts against {few:.0e} (as peer)", "")
    each = [found[n]["study"] / n for n in (many, few)]
    table.cost("time a run", many, *each, LINEAR_ASKED)
    peaks = [found[n]["peak"] / 1e6 for n in (many, few)]
    table.cost("memory", many, *peaks, FLAT_ASKED, megabytes)


def reduction(table: Table, quick: bool) -> None:
    """What counting costs."""
    title = "A study on one thread against its runs alone (as peer)"
    table.section(title, "time")
    for targeted, n in ((False, 10**7), (True, 10**6)):
        found = measured("reduction", n, targeted, 3 if quick else 5)
        what = f"{len(TARGETS)} targets" if targeted else "no targets"
        table.cost(what, n, found["study"], found["engine"], REDUCTION_ASKED)


def dask(table: Table, quick: bool) -> None:
    """Two local workers of Dask beside one."""
    if missing("distributed"):
        table.skip("Dask (distributed is not installed)")
        return
    table.section("A study on two workers of Dask against one (as peer)", "time")
    n = 4 * 10**7 if quick else 2 * 10**8
    found = measured("dask", n, 2)
    table.speedup("two workers", n, found["two"], found["one"], DASK_ASKED)


SECTIONS = {"cells": cells, "starts": starts, "reduction": reduction, "dask": dask}


def main() -> int:
    """Run the sections."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs and repeats")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="a section; repeatable")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    machine = describe()
    for name, text in machine.items():
        print(f"{name:9} {text}")
    table = Table()
    for name, section in SECTIONS.items():
        if not options.only or name in options.only:
            section(table, options.quick)
    table.close()
    if options.json:
        options.json.write_text(json.dumps(machine | table.as_dict(), indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
