"""The table of basin shares, in Markdown."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import fastopt as fo
from fastopt.basins.attractors import say_point
from fastopt.basins.estimate import wilson

Rows = list[dict[str, Any]]


def table(rows: Rows, max_steps: int, gradient: float, command: str, made: dict[str, str]) -> str:
    """All of it: what the figures are and how they were made, then a table for each surface.

    *made* has the date, the machine and the versions.
    """
    versions = [v for v in made["versions"].split(", ") if v.split()[0] in ("Python", "fastopt")]
    fewest, most = (f([r["starts"] for r in rows]) for f in (min, max))
    few = sum(r["starts"] < most for r in rows)
    flow = max((r["fidelity"] or {"starts": 0})["starts"] for r in rows)
    lines = [
        "# Where optimisers end: basin shares on classic surfaces",
        "",
        "Of starts drawn uniformly on each surface's bounds, the share that ends at each "
        "attractor: ten rules, each at its default and at a tuned learning rate, with gradient "
        "flow beside them. Every entry is the 95% interval of Wilson, in percent of the starts.",
        "",
        f"* **Runs** take at most {max_steps:,} steps and have converged when the gradient's norm "
        f"is at most {gradient:g}. All parameters but the learning rate have their defaults.",
        "* **Columns**: the minima that the surface lists, by their place; the other minima, "
        "saddles and cycles that were found, taken together each; *unresolved* are the runs that "
        "ended nowhere in time. What no start of any rule came to has no column.",
        f"* **Fidelity** is the share of starts that end where gradient flow from the same start "
        f"ends, of the first {flow:,} of them.",
        "* **tuned** rates have the least expected running time of 31 rates from 0.0001 to 10 "
        "over 250 other starts (`fastopt.tuning.tune`).",
        f"* **Starts**: {most:,} for {len(rows) - few} of the {len(rows)} lines"
        + (
            f"; the other {few}, which take longest, are from fewer (down to {fewest:,}), as their "
            f"column says. `{command} --starts {most:.0e}` runs these from all, and then writes "
            "this page anew.".replace("e+0", "e")
            if few
            else "."
        ),
        f"* Made by `{command}` (seed {rows[0]['seed']}, {made['date']}; "
        f"{made['machine'].partition(', load')[0]}; {', '.join(versions)}; "
        f"{sum(r['seconds'] for r in rows) / 3600:.1f} hours of runs).",
    ]
    for surface in dict.fromkeys(r["surface"] for r in rows):
        lines += ["", *_of_surface(surface, [r for r in rows if r["surface"] == surface])]
    return "\n".join(lines) + "\n"


def _of_surface(name: str, rows: Rows) -> list[str]:
    surface = fo.surfaces.get(name)
    columns = [c for c in rows[0]["counts"] if any(r["counts"][c] for r in rows)]
    heads = ["rule", "rate", "starts", *(_head(c, surface) for c in columns), "fidelity"]
    (a, b), (c, d) = surface.bounds.tolist()
    lines = [
        f"## {type(surface).__name__}",
        "",
        f"On [{a:g}, {b:g}] x [{c:g}, {d:g}].",
        "",
        f"| {' | '.join(heads)} |",
        f"|---|{'---:|' * (len(heads) - 1)}",
    ]
    for r in rows:
        cells = [interval(r["counts"][column], r["starts"]) for column in columns]
        agreement = r["fidelity"]
        cells.append(interval(agreement["agreeing"], agreement["starts"]) if agreement else "")
        title = r["rule"].replace("_", " ") + (", tuned" if r["setting"] == "tuned" else "")
        rate = f"{r['rate']:g}" if agreement else ""  # the flow has none
        lines.append(f"| {title} | {rate} | {_power(r['starts'])} | {' | '.join(cells)} |")
    return lines


def _head(column: str, surface: fo.Surface) -> str:
    attribute, bracket, number = column.rstrip("]").partition("[")
    if not bracket:
        return column
    kind = "minimum" if attribute == "minima" else "local minimum"
    return f"{kind} {say_point(getattr(surface, attribute)[int(number)])}"


def interval(count: int, total: int) -> str:
    """Wilson's 95% interval in percent, rounded outwards to two digits of its width."""
    low, high = (100 * float(end[0]) for end in wilson(np.array([count]), total, 0.95))
    digits = max(1 - math.floor(math.log10(high - low)), 0)
    scale = 10.0**digits
    low, high = math.floor(low * scale) / scale, math.ceil(high * scale) / scale
    ends = [f"{end:.{digits}f}" if 0 < end < 100 else f"{end:g}" for end in (low, high)]
    return f"{ends[0]}–{ends[1]}"


def _power(n: int) -> str:
    exponent = math.log10(n)
    superscript = str(round(exponent)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{superscript}" if exponent.is_integer() else f"{n:,}"
