"""A study's result as tables for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastopt.statistics import ert, hitting_time, success_rate
from fastopt.statistics.text import percent, plural
from fastopt.study.cell import Cell
from fastopt.study.result import Result

_MOST_ROWS = 40
_MOST_TARGETS = 6
_HEADER = f"{'rule':19}{'surface':17}{'runs':>10}{'success':>9}{'median':>12}{'ERT':>12}"


def table(result: Result) -> str:
    """The tables; see :meth:`fastopt.study.Result.summary`."""
    lines = [_title(result), _HEADER]
    rows = list(_rows(result.tuned()))
    for rule, cell in rows[:_MOST_ROWS]:
        lines.append(_line(rule, cell))
        if cell.setting:
            at = ", ".join(f"{name}={value:.6g}" for name, value in cell.setting.items())
            lines.append(f"  at {at}"[:80])
    if len(rows) > _MOST_ROWS:
        lines.append(f"... and {len(rows) - _MOST_ROWS:,} more (to_pandas() has all)")
    if any(group.settings > 1 for group in result._outline.groups):
        lines.append("of the settings of a rule, the one of the least ERT")
    if len(result.targets):
        lines += ["", *_target_lines(result, rows[:_MOST_ROWS])]
    return "\n".join(lines)


def _rows(best: Result) -> Iterator[tuple[str, Cell]]:
    """What to call each rule, and its cell; of several seeds one each."""
    if len(best.seeds) == 1:
        yield from ((cell.rule, cell) for cell in best.cells())
        return
    each = [best.select(seed=seed).cells() for seed in best.seeds]
    for cells in zip(*each, strict=True):
        for seed, cell in zip(best.seeds, cells, strict=True):
            yield f"{cell.rule} #{seed}", cell


def _title(result: Result) -> str:
    text = result._outline.extent()
    if result.runs < result.planned:
        share = percent(result.runs / result.planned)
        return f"{text}: {result.runs:,} of {result.planned:,} runs ({share})"
    return f"{text}, {plural(result.runs, 'run')}"


def _line(rule: str, cell: Cell) -> str:
    names = f"{_cut(rule, 18):19}{_cut(cell.surface, 16):17}{cell.runs:>10,}"
    if not cell.runs:
        return names
    counts = cell.counts()
    median = hitting_time(counts).median
    cost = ert(counts, resamples=1).value
    text = f"{cost:,.1f}" if cost < 1e7 else f"{cost:.4g}"  # inf, too
    share = percent(success_rate(counts).value)
    return f"{names}{share:>9}{median.text(median.value):>12}{text:>12}"


def _target_lines(result: Result, rows: list[tuple[str, Cell]]) -> list[str]:
    """The shares that met some of the targets, from the first to the last."""
    last = len(result.targets) - 1
    some = np.unique(np.linspace(0, last, min(_MOST_TARGETS, last + 1)).round().astype(int))
    head = "".join(f"{result.targets[target]:>7.2g}" for target in some)
    lines = ["share of runs that came within so much of the minimum", f"{'':36}{head}"]
    for rule, cell in rows:
        shares = (success_rate(cell.counts(int(target))).value for target in some)
        line = f"{_cut(rule, 18):19}{_cut(cell.surface, 16):17}"
        lines.append((line + "".join(f"{percent(share):>7}" for share in shares)).rstrip())
    return lines


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
