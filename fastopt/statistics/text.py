"""Numbers and tables in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

WIDTH = 80
"""Columns of a terminal."""


def percent(share: float | None) -> str:
    """A share with one decimal, but 0% and 100% mean none and all."""
    if share is None or math.isnan(share):
        return "-"
    if 0 < share < 0.001 or 0.999 < share < 1:
        return "<0.1%" if share < 0.5 else ">99.9%"
    return f"{share:.0%}" if share in (0, 1) else f"{share:.1%}"


def plural(number: int, noun: str, many: str | None = None) -> str:
    """``1 run``, ``2,000 runs``."""
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def p_text(p: float, name: str = "p") -> str:
    """A p-value in words: ``p = 0.012``."""
    small = p < 1e-16
    value = "1e-16" if small else f"{p:.2g}"
    sign = "< " if small else "= " if name else ""
    return f"{name} {sign}{value}".strip()


def grid(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table: the first column, of names, to the left, and all others to the right.

    If it does not fit a terminal, names stand on lines of their own.
    """
    widths = [max(len(row[k]) for row in [head, *body]) for k in range(len(head))]
    apart = sum(widths) + 2 * (len(widths) - 1) > WIDTH
    lines = []
    for name, *cells in [head, *body]:
        numbers = "".join(f"  {cell:>{w}}" for cell, w in zip(cells, widths[1:], strict=True))
        if apart and name:
            lines.append(name)
        lines.append(numbers.rstrip() if apart else f"{name:{widths[0]}}{numbers}".rstrip())
    return "\n".join(lines)
