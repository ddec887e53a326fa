"""The table of the comparisons."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """One line: two figures, what is compared with what is asked, and whether it holds."""

    section: str
    unit: str
    what: str
    size: str
    ours: float
    theirs: float | None
    ratio: float | None
    asked: str
    holds: bool | None
    show: Callable[[float], str]

    def __str__(self) -> str:
        theirs = "" if self.theirs is None else self.show(self.theirs)
        ratio = "" if self.ratio is None else f"{self.ratio:.3g}"
        mark = {None: "", True: "ok", False: "short"}[self.holds]
        return (
            f"{self.what[:35]:35}{self.size:>6}{self.show(self.ours):>9}{theirs:>9}"
            f"{ratio:>7}{self.asked:>8} {mark}"
        ).rstrip()


@dataclass
class Table:
    """Prints each row as it is measured, and counts those that hold."""

    rows: list[Row] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    _section: tuple[str, str] = ("", "")

    def section(self, title: str, unit: str) -> None:
        """Begin a part of the table, whose figures are in *unit*."""
        self._section = title, unit
        heads = f"{'fastopt':>9}{'peer':>9}{'ratio':>7}{'asked':>8}"
        print(f"\n{title}\n{unit:35}{'size':>6}{heads}", flush=True)

    def rates(self, what, size, ours, theirs, asked=None) -> None:
        """Two rates, and the least that ours should be of the peer's."""
        self._add(what, size, ours, theirs, ours / theirs, asked, ">=", rate)

    def speedup(self, what, size, ours, theirs, asked) -> None:
        """Two times, and the least that the peer's should be of ours."""
        self._add(what, size, ours, theirs, theirs / ours, asked, ">=", duration)

    def cost(self, what, size, ours, base, asked=None, show=None) -> None:
        """Two times, and what the first should be less than, in units of the second."""
        self._add(what, size, ours, base, ours / base, asked, "<", show or duration)

    def limit(self, what, size, value, asked, show, beside=None) -> None:
        """One figure and its limit; *beside* stands next to it."""
        holds = value < asked
        self._keep(
            Row(*self._section, what, _size(size), value, beside, None, f"< {asked:g}", holds, show)
        )

    def differs(self, text: str) -> None:
        """Say that a comparison did not compute the same thing."""
        self.wrong.append(text)
        print(f"DIFFERENT RESULT: {text}", flush=True)

    def skip(self, text: str) -> None:
        """Say that a part is skipped, and why."""
        if text not in self.skipped:
            self.skipped.append(text)
            print(f"\nskipped: {text}", flush=True)

    def close(self) -> None:
        """Say how many of the asked-for figures hold."""
        asked = [row for row in self.rows if row.holds is not None]
        skipped = f"; skipped: {'; '.join(self.skipped)}" if self.skipped else ""
        print(
            f"\n{sum(bool(row.holds) for row in asked)} of {len(asked)} asked-for figures hold",
            end="",
        )
        print(skipped + (f"; {len(self.wrong)} results differ" if self.wrong else ""))

    def as_dict(self) -> dict[str, Any]:
        """All of it, for a file."""
        rows = [dataclasses.asdict(row) | {"show": row.show.__name__} for row in self.rows]
        return {"rows": rows, "different": self.wrong, "skipped": self.skipped}

    def _add(self, what, size, ours, theirs, ratio, asked, sign, show) -> None:
        holds = None
        if asked is not None:
            holds = ratio >= asked if sign == ">=" else ratio < asked
        limit = "" if asked is None else f"{sign} {asked:g}"
        self._keep(Row(*self._section, what, _size(size), ours, theirs, ratio, limit, holds, show))

    def _keep(self, row: Row) -> None:
        self.rows.append(row)
        print(row, flush=True)


def _size(count: int | None) -> str:
    return "" if count is None else f"{count:.0e}".replace("e+0", "e")


def rate(value: float) -> str:
    """A rate, in whatever its section says."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def duration(seconds: float) -> str:
    """A time, with its unit."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


def share(value: float) -> str:
    """A share of a whole."""
    return f"{value:.1%}"


def megabytes(value: float) -> str:
    """A size in MB."""
    return f"{value:.1f} MB"
