"""All that ``fastopt bench`` measures, section after section."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from fastopt import info
from fastopt.bench import peers, rates
from fastopt.bench.limits import Limits, measure_limits, processor_share
from fastopt.bench.machine import describe
from fastopt.workers import processors

# For at least so long is a rate measured, in seconds, and so often is a ratio.
_LEAST, _LEAST_QUICK = 0.5, 0.05
_REPEATS, _REPEATS_QUICK = 3, 1
_CONVERGING, _CONVERGING_QUICK = 5_000, 1_000


@dataclass
class Report:
    """What is measured, and what was found."""

    rules: list[str]
    starts: int
    steps: int
    threads: int
    quick: bool
    say: Callable[[str], None]
    """Is told what is being measured."""
    machine: dict[str, str] = field(default_factory=describe)
    limits: Limits | None = None
    reached: list[rates.Reached] = field(default_factory=list)
    ratios: list[peers.Ratio] = field(default_factory=list)
    converging: list[peers.Ratio] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    processors: float = 1.0
    """The least share of the processors that was left by other programs, in three looks."""

    def __post_init__(self) -> None:
        # First of all, for it refuses what cannot be run.
        self._cases = rates.cases(self.rules, self.starts, self.steps)

    @property
    def different(self) -> list[str]:
        """The comparisons in which a peer computed something else."""
        return [
            f"{row.rule} on {row.surface}, {row.peer}: {row.difference}"
            for row in self.ratios + self.converging
            if row.difference is not None
        ]

    def measure_limits(self) -> Limits:
        """What this machine does at most."""
        self.say("measuring what this machine does at most")
        self._look()
        self.limits = measure_limits(self.threads, 3 if self.quick else 6)
        return self.limits

    def measure_rates(self) -> list[rates.Reached]:
        """Rates of the engine; after the limits."""
        limits = self.limits or self.measure_limits()
        least = _LEAST_QUICK if self.quick else _LEAST
        for case in self._cases:
            self.say(f"running {case.rule.name}, {case.what}")
            self.reached.append(rates.reached(case, limits, self.threads, least))
        self._look()
        return self.reached

    def measure_ratios(self) -> list[peers.Ratio]:
        """The same steps by the peers."""
        self.say("preparing the peers")
        found, skipped = peers.installed(self.rules, self.threads, self.quick)
        self.skipped += skipped
        for rule, peer in ((r, p) for r in self.rules for p in found if r in p.rules):
            self.say(f"running {rule} beside {peer.name}")
            case = (peer, rule, self.starts, self.steps, self.threads)
            self.ratios.append(peers.beside(*case, self._repeats))
        return self.ratios

    def measure_converging(self) -> list[peers.Ratio]:
        """Runs to convergence by the peers."""
        self.say("running to convergence")
        n = min(self.starts, _CONVERGING_QUICK if self.quick else _CONVERGING)
        self.converging += peers.to_convergence(n, self.threads, self._repeats)
        self._look()
        return self.converging

    def _look(self) -> None:
        self.processors = min(self.processors, processor_share(self.threads))

    @property
    def _repeats(self) -> int:
        return _REPEATS_QUICK if self.quick else _REPEATS

    def as_dict(self) -> dict[str, Any]:
        """All of it, for ``--json``."""
        return {
            "machine": self.machine | {"vector_bits": info.vector_bits()},
            "threads": self.threads,
            "starts": self.starts,
            "steps": self.steps,
            "limits": None if self.limits is None else dataclasses.asdict(self.limits),
            "rates": [_rate_dict(row) for row in self.reached],
            "ratios": [
                dataclasses.asdict(row) | {"ratio": row.ratio}
                for row in self.ratios + self.converging
            ],
            "processors": self.processors,
            "skipped": self.skipped,
            "different": self.different,
        }


def _rate_dict(row: rates.Reached) -> dict[str, Any]:
    operations = None if row.operations is None else row.operations._asdict()
    return dataclasses.asdict(row) | {"operations": operations, "share": row.share}


@contextmanager
def confined(threads: int) -> Iterator[None]:
    """Keep this process, the peers in it included, to so many processors."""
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    if before is None or threads >= processors():
        yield
        return
    os.sched_setaffinity(0, sorted(before)[:threads])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
