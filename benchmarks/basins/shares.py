"""Where the best-known rules end on classic surfaces, and how often where gradient flow does.

``python benchmarks/basins/shares.py [--starts N] [--seconds S] [--minutes M] [--only SURFACE]``
runs ten rules at their default and at tuned learning rates on ten surfaces, each from the same
starts, uniform on the surface's bounds, and gradient flow beside them. It keeps a line for each
pair in ``shares.json`` and writes the table ``docs/basin-shares.md`` of all of them.

Whoever stops it loses the pair that is running: a later call goes on from there. A pair that is
there from fewer starts is run again from more, so that a rough table can be made first and a
better one later: with ``--seconds 30`` only the pairs that are expected to take no longer than
that. With the default 10^7 starts for all pairs it takes half a day on two processors.

The tuned learning rate is the one that :func:`fastopt.tuning.tune` finds: the least expected
running time over 250 other starts.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from shares_table import table

import fastopt as fo
from fastopt import tuning
from fastopt.basins import CloudFractions
from fastopt.bench.machine import describe

RULES = (
    "gradient_descent",
    "momentum",
    "nesterov",
    "adagrad",
    "adadelta",
    "rmsprop",
    "adam",
    "adamw",
    "nadam",
    "lion",
)
SURFACES = (
    "himmelblau",
    "six_hump_camel",
    "styblinski_tang",
    "rastrigin",
    "ackley",
    "griewank",
    "levy",
    "goldstein_price",
    "beale",
    "rosenbrock",
)
REFERENCE = "gradient_flow"
SEED, MAX_STEPS, GRADIENT = 2026, 10_000, 1e-6
# Gradient flow is integrated in many small steps.
FIDELITY_STARTS = 200_000
# More local minima than this are one column.
MOST_LISTED = 8
_COMMAND = "python benchmarks/basins/shares.py"
_HERE = Path(__file__).resolve().parent


class Pair(NamedTuple):
    """A rule on a surface, at its default or its tuned learning rate."""

    surface: str
    rule: str
    setting: str


PAIRS = [
    Pair(surface, rule, setting)
    for surface in SURFACES
    for rule in (REFERENCE, *RULES)
    for setting in ("default", "tuned")
    if rule != REFERENCE or setting == "default"
]
"""All pairs, in the order of the table."""


def run(rule: fo.rules.Rule, surface: fo.Surface, n: int) -> CloudFractions:
    """The ends of the runs of one rule from the first *n* starts of the table."""
    low, high = surface.bounds.T
    return fo.basin_fractions(
        rule,
        surface,
        fo.starts.Uniform(low, high, n, seed=SEED),
        max_steps=MAX_STEPS,
        stop=fo.Stop(gradient=GRADIENT),
        progress=True,
    )


@cache
def flow_on(surface: str, n: int) -> CloudFractions:
    """Where gradient flow ends."""
    flow_on.cache_clear()  # one at a time
    return run(fo.rules.get(REFERENCE), fo.surfaces.get(surface), n)


def learning_rate(pair: Pair, surface: fo.Surface) -> float:
    """The default or the tuned learning rate."""
    if pair.setting == "tuned":
        rate = tuning.tune(pair.rule, surface, MAX_STEPS, falling=False)
        assert isinstance(rate, float)
        return rate
    return float(fo.rules.get(pair.rule).learning_rate)


def counts(found: CloudFractions, surface: fo.Surface) -> dict[str, int]:
    """How many starts ended at each minimum that the surface lists, and at each other kind.

    The minima are called as in ``found.matched``, such as ``minima[0]``.
    """
    listed = [f"minima[{k}]" for k in range(len(surface.minima))]
    if len(surface.local_minima) <= MOST_LISTED:
        listed += [f"local_minima[{k}]" for k in range(len(surface.local_minima))]
    others = ("other minima", "saddle", "maximum", "flat", "cycle", "unresolved", "diverged")
    totals = dict.fromkeys([*listed, *others], 0)
    names, kinds = found.found.matched, found.found.kinds
    for name, kind, number in zip(names, kinds, found.counts, strict=False):
        place = name if name in totals else {"minimum": "other minima"}.get(kind, kind)
        totals[place] += int(number)
    totals["unresolved"], totals["diverged"] = map(int, found.counts[-2:])
    return totals


def fidelity(found: CloudFractions, flow: CloudFractions) -> dict[str, int]:
    """Of how many starts so many end where gradient flow does."""
    n = len(flow.labels)
    agreeing = replace(found, labels=found.labels[:n]).fidelity(flow).same
    return {"agreeing": int(agreeing.sum()), "starts": n}


def row(pair: Pair, n: int, before: dict[str, Any] | None) -> dict[str, Any]:
    """What the table says of a pair, run from *n* starts; *before* is its row from fewer."""
    surface = fo.surfaces.get(pair.surface)
    rate = before["rate"] if before else learning_rate(pair, surface)
    begun = time.perf_counter()
    found = run(fo.rules.get(pair.rule, learning_rate=rate), surface, n)
    seconds = time.perf_counter() - begun
    enough = min(n, FIDELITY_STARTS)
    agreement = before["fidelity"] if before else None
    if pair.rule != REFERENCE and (agreement is None or agreement["starts"] < enough):
        agreement = fidelity(found, flow_on(pair.surface, enough))
    return pair._asdict() | {
        "rate": rate,
        "starts": n,
        "seed": SEED,
        "counts": counts(found, surface),
        "attractors": len(found.found),
        "fidelity": agreement,
        "seconds": round(seconds, 3),
    }


def expected(known: dict[str, Any] | None, n: int) -> float:
    """Seconds that a pair will take from *n* starts; 0 where nothing is known of it."""
    return known["seconds"] * n / known["starts"] if known else 0.0


def read(store: Path) -> dict[Pair, dict[str, Any]]:
    """The rows that are there."""
    lines = store.read_text().splitlines() if store.exists() else []
    rows = {}
    for line in lines:  # a later line of a pair is from more starts
        one = json.loads(line)
        rows[Pair(one["surface"], one["rule"], one["setting"])] = one
    if any(one["seed"] != SEED for one in rows.values()):
        raise SystemExit(f"{store}: has rows of another seed; remove it, or give --output")
    return rows


def write(store: Path, text: Path, rows: dict[Pair, dict[str, Any]]) -> None:
    """The rows in the order of the table, and the table."""
    ordered = [rows[pair] for pair in PAIRS if pair in rows]
    store.write_text("".join(json.dumps(one) + "\n" for one in ordered))
    text.parent.mkdir(parents=True, exist_ok=True)
    text.write_text(table(ordered, MAX_STEPS, GRADIENT, _COMMAND, describe()))


def main(arguments: list[str] | None = None) -> None:
    """Run what is not there yet, and write the table of all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=lambda text: int(float(text)), default=10**7)
    parser.add_argument("--seconds", type=float, default=np.inf, help="the most for one pair")
    parser.add_argument("--minutes", type=float, default=np.inf, help="begin no pair after these")
    parser.add_argument("--only", action="append", choices=SURFACES, help="a surface; repeatable")
    parser.add_argument("--output", type=Path, metavar="DIR", help="of both files")
    options = parser.parse_args(arguments)
    store = (options.output or _HERE) / "shares.json"
    text = (options.output or _HERE.parents[1] / "docs") / "basin-shares.md"
    store.parent.mkdir(parents=True, exist_ok=True)
    rows = read(store)
    chosen = [pair for pair in PAIRS if pair.surface in (options.only or SURFACES)]
    left = [
        pair
        for pair in chosen
        if (pair not in rows or rows[pair]["starts"] < options.starts)
        and expected(rows.get(pair), options.starts) <= options.seconds
    ]
    left.sort(key=lambda pair: expected(rows.get(pair), options.starts))  # a stable sort
    begun = time.monotonic()
    for k, pair in enumerate(left):
        if time.monotonic() - begun > 60 * options.minutes:
            print(f"{len(left) - k} pairs are left", flush=True)
            break
        rows[pair] = row(pair, options.starts, rows.get(pair))
        with open(store, "a") as file:
            file.write(json.dumps(rows[pair]) + "\n")
        print(" ".join(pair), rows[pair]["counts"], flush=True)
    else:
        print("no pair is left", flush=True)
    if rows:
        write(store, text, rows)


if __name__ == "__main__":
    main()
