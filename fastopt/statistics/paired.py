"""Batches of runs from the same starts, side by side."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from fastopt.checks import Floats
from fastopt.runs import Runs
from fastopt.statistics.cells import refuse_unpaired
from fastopt.statistics.counts import hitting_steps


def check_paired(owner: str, runs: Mapping[str, Runs]) -> None:
    """Raise unless *runs* may be compared run by run."""
    for name, one in runs.items():
        refuse_unpaired(owner, name, one)
    first_name, first = next(iter(runs.items()))
    for name, other in runs.items():
        if not isinstance(other, Runs):
            raise TypeError(f"{name} is a {type(other).__name__}: must be Runs ({owner})")
        if other.status.shape != first.status.shape:
            raise ValueError(
                f"{first_name} has shape {first.status.shape} and {name} "
                f"{other.status.shape}: must be runs from the same starts ({owner})"
            )
        if other.surface is not first.surface and repr(other.surface) != repr(first.surface):
            raise ValueError(
                f"{first_name} is on {first.surface!r} and {name} on {other.surface!r}: must "
                f"be on the same surface ({owner})"
            )
        ours, theirs = _recorded_starts(first), _recorded_starts(other)
        if ours is None or theirs is None:
            continue
        if not np.array_equal(ours, theirs, equal_nan=True):
            raise ValueError(
                f"{first_name} and {name} have recorded different starts: must be runs from "
                f"the same ({owner})"
            )


def _recorded_starts(runs: Runs) -> Floats | None:
    """The starts, if they were recorded."""
    if runs.trajectory is None or runs.trajectory_steps is None or runs.trajectory_steps[0] > 0:
        return None
    return runs.trajectory[0]


def costs_of(
    owner: str, runs: Mapping[str, Runs], target: int | None = None
) -> tuple[list[Floats], int]:
    """For each of *runs* the steps that each run took, inf for a failure; and the budget."""
    check_paired(owner, runs)
    budget = min(one.max_steps for one in runs.values())
    costs = []
    for one in runs.values():
        reached, steps = hitting_steps(one, target)
        costs.append(np.where(reached & (steps <= budget), steps, np.inf).ravel())
    return costs, budget
