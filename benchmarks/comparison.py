"""What all comparisons share: how much is measured, from where, and what the table says."""

from __future__ import annotations

from table import Table

from fastopt.bench.comparison import CHECKED_STEPS, TOLERANCE, apart, starts_within
from fastopt.bench.timing import interleaved


class Bench:
    """The table, how much to measure, and what all comparisons share."""

    def __init__(self, quick: bool):
        self.table = Table()
        self.quick = quick
        self.repeats = 3 if quick else 7

    def steps(self, n: int) -> int:
        """10,000 (the default of ``fo.run``) of few starts, 1,000 of many."""
        steps = 10_000 if n <= 10_000 else 1_000
        return steps // 5 if self.quick and n > 1_000 else steps

    def starts(self, n: int, reach: float = 2.0, dim: int = 2):
        """*n* starts within *reach* of 0, the same every time."""
        return starts_within(n, reach, dim)

    def same(self, what: str, ours, theirs, tolerance: float = TOLERANCE) -> bool:
        """Whether these points agree; if not, the table says so."""
        worst = apart(ours, theirs)
        if not worst <= tolerance:
            self.table.differs(f"{what}: {worst:.1e} apart after {CHECKED_STEPS} steps")
        return worst <= tolerance

    def rates(self, ours, theirs, work: int) -> list[float]:
        """Rates of both, in M start-steps/s, for *work* start-steps."""
        return [work / s / 1e6 for s in interleaved(ours, theirs, repeats=self.repeats)]
