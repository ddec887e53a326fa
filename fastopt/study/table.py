"""A study's result as a table for a terminal of 80 columns."""

from __future__ import annotations

import math
from typing import Any

from fastopt.study.result import Result

_MOST_ROWS = 40
_HEADER = f"{'rule':19}{'surface':17}{'runs':>10}{'success':>9}{'median':>12}{'ERT':>12}"


def table(result: Result) -> str:
    """The table; see :meth:`fastopt.study.Result.summary`."""
    rows = result.rows()
    limits = {(group.rule, group.surface): group.shape.max_steps for group in result.outline.groups}
    dimensions = {
        (group.rule, group.surface): list(group.dimensions) for group in result.outline.groups
    }
    lines = [_title(result), _HEADER]
    pairs = list(dict.fromkeys((row["rule"], row["surface"], row["seed"]) for row in rows))
    chosen = False
    for rule, surface, seed in pairs[:_MOST_ROWS]:
        own = [r for r in rows if (r["rule"], r["surface"], r["seed"]) == (rule, surface, seed)]
        best = min(own, key=_cost)
        names = dimensions[rule, surface]
        lines.append(_line(best, limits[rule, surface], len(result.seeds) > 1))
        if names:
            chosen = True
            at = ", ".join(f"{name}={best[name]:.6g}" for name in names)
            lines.append(f"  at {at}"[:80])
    if len(pairs) > _MOST_ROWS:
        lines.append(f"... and {len(pairs) - _MOST_ROWS:,} more (to_pandas() has all)")
    if chosen:
        lines.append("of the settings of a rule, the one of the least ERT")
    return "\n".join(lines)


def _title(result: Result) -> str:
    cells = sum(group.settings for group in result.outline.groups)
    text = f"{len(result.rules)} rules on {len(result.surfaces)} surfaces, {cells:,} cells"
    if result.runs < result.planned:
        return f"{text}: {result.runs:,} of {result.planned:,} runs ({_share(result):.1%})"
    return f"{text}, {result.runs:,} runs"


def _share(result: Result) -> float:
    return result.runs / result.planned


def _cost(row: dict[str, Any]) -> tuple[bool, float, float]:
    unknown = math.isnan(row["ert"])
    return unknown, math.inf if unknown else row["ert"], -row["success_rate"]


def _line(row: dict[str, Any], max_steps: int, seeds: bool) -> str:
    rule = f"{row['rule']} #{row['seed']}" if seeds else row["rule"]
    cells = [f"{_cut(rule, 18):19}{_cut(row['surface'], 16):17}{row['runs']:>10,}"]
    if not row["runs"]:
        return cells[0]
    median, ert = row["median_steps"], row["ert"]
    cells += [f"{row['success_rate']:>9.1%}"]
    cells += [f"{f'> {max_steps:,}' if math.isinf(median) else f'{median:,.0f}':>12}"]
    text = f"{ert:,.1f}" if ert < 1e7 else f"{ert:.4g}"  # inf, too
    cells += [f"{text:>12}"]
    return "".join(cells)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
