"""Where the best-known rules end on classic surfaces, and how often where gradient flow does.

``python benchmarks/basins/shares.py [--starts N] [--only SURFACE] [--output DIR]`` runs ten
rules at their default and at tuned learning rates on ten surfaces, each from the same starts,
uniform on the surface's bounds, and gradient flow beside them. It writes ``shares.json`` (a
line for each pair, so that a run that was stopped goes on where it was) and the table
``shares.md``. With the default 10^7 starts it takes hours.

The tuned learning rate is the one that :func:`fastopt.tuning.tune` finds: the least expected
running time over 250 other starts.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import fastopt as fo
from fastopt import tuning
from fastopt.basins import CloudFractions
from fastopt.basins.estimate import wilson

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
COLUMNS = ("global", "other", "cycle", "unresolved", "diverged", "fidelity")


class Pair(NamedTuple):
    """A rule on a surface, at its default or its tuned learning rate."""

    surface: str
    rule: str
    setting: str


def pairs(surfaces: list[str]) -> Iterator[Pair]:
    """All pairs, surface by surface, in the order of the table."""
    for surface in surfaces:
        yield Pair(surface, REFERENCE, "default")
        for rule in RULES:
            yield Pair(surface, rule, "default")
            yield Pair(surface, rule, "tuned")


def run(rule: fo.rules.Rule, surface: fo.Surface, n: int) -> CloudFractions:
    """The ends of the runs of one rule from the starts of the table."""
    low, high = surface.bounds.T
    return fo.basin_fractions(
        rule,
        surface,
        fo.starts.Uniform(low, high, n, seed=SEED),
        max_steps=MAX_STEPS,
        stop=fo.Stop(gradient=GRADIENT),
        progress=True,
    )


def made(pair: Pair, surface: fo.Surface) -> tuple[fo.rules.Rule, Any]:
    """The rule and its learning rate."""
    rule = fo.rules.get(pair.rule)
    if pair.setting == "tuned":
        rate = tuning.tune(pair.rule, surface, MAX_STEPS, falling=False)
        rule = fo.rules.get(pair.rule, learning_rate=rate)
    return rule, rule.learning_rate


def row(pair: Pair, rate: float, found: CloudFractions, flow: CloudFractions) -> dict[str, Any]:
    """What the table says of a pair: counts of starts, by where they ended."""
    names = np.array([*found.found.matched, "", ""])
    kinds = np.array([*found.found.kinds, "", ""])
    best = np.char.startswith(names, "minima")
    counts = {
        "global": int(found.counts[best].sum()),
        "other": int(found.counts[:-2][~best[:-2] & (kinds[:-2] != "cycle")].sum()),
        "cycle": int(found.counts[kinds == "cycle"].sum()),
        "unresolved": int(found.counts[-2]),
        "diverged": int(found.counts[-1]),
        "fidelity": int(found.fidelity(flow).same.sum()),
    }
    facts = {
        "starts": len(found.labels),
        "seed": SEED,
        "rate": rate,
        "attractors": len(found.found),
    }
    return pair._asdict() | facts | {"counts": counts, "seconds": found.run_seconds}


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown, each share with half the width of its 95% interval."""
    n = rows[0]["starts"]
    lines = [
        f"Shares of {n:,} starts, uniform on each surface's bounds (seed {SEED}), at most "
        f"{MAX_STEPS:,} steps, converged at a gradient norm of {GRADIENT:g}; ± half the width of "
        "Wilson's 95% interval. Made by `python benchmarks/basins/shares.py`.",
        "",
        "`global`, `other`: at a global minimum, or at another point; `fidelity`: where gradient "
        "flow from the same start ends.",
    ]
    for surface in dict.fromkeys(r["surface"] for r in rows):
        own = [r for r in rows if r["surface"] == surface]
        lines += ["", f"## {surface}", "", f"| rule | rate | {' | '.join(COLUMNS)} |"]
        lines += [f"|---|---|{'---:|' * len(COLUMNS)}"]
        for r in own:
            counts = np.array([r["counts"][name] for name in COLUMNS])
            low, high = wilson(counts, r["starts"], 0.95)
            cells = [
                f"{count / r['starts']:.3%} ± {half:.3%}"
                for count, half in zip(counts, (high - low) / 2, strict=True)
            ]
            name = f"{r['rule']}{', tuned' if r['setting'] == 'tuned' else ''}"
            lines.append(f"| {name} | {r['rate']:g} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run what is not there yet, and write the table of all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--starts", type=lambda text: int(float(text)), default=10**7)
    parser.add_argument("--only", action="append", choices=SURFACES, help="a surface; repeatable")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, metavar="DIR")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    store = options.output / "shares.json"
    rows = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    known = {Pair(r["surface"], r["rule"], r["setting"]): r for r in rows}
    if any((r["starts"], r["seed"]) != (options.starts, SEED) for r in rows):
        raise SystemExit(f"{store}: has rows of other starts; remove it, or give another --output")
    chosen = options.only or list(SURFACES)
    flow = None
    for pair in pairs(chosen):
        if pair.rule == REFERENCE:
            flow = None
        if pair in known:
            continue
        surface = fo.surfaces.get(pair.surface)
        if flow is None:
            flow = run(fo.rules.get(REFERENCE), surface, options.starts)
        rule, rate = made(pair, surface)
        found = flow if pair.rule == REFERENCE else run(rule, surface, options.starts)
        known[pair] = row(pair, rate, found, flow)
        with open(store, "a") as file:
            file.write(json.dumps(known[pair]) + "\n")
        print(" ".join(pair), known[pair]["counts"], flush=True)
    done = [known[pair] for pair in pairs(list(SURFACES)) if pair in known]
    (options.output / "shares.md").write_text(table(done))


if __name__ == "__main__":
    main()
