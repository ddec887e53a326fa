"""What a batch recorded on its way, as statistics need it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fastopt.checks import Floats
from fastopt.runs import Runs


def recorded_values(owner: str, name: str, runs: Runs) -> tuple[NDArray[np.int64], Floats]:
    """The recorded steps (k,), and the values (k, runs) there."""
    if not isinstance(runs, Runs):
        raise TypeError(f"{name}: a {type(runs).__name__}: must be Runs, with a record ({owner})")
    if runs.trajectory_steps is None or runs.trajectory_fun is None:
        raise ValueError(
            f"{name}: no steps were recorded; give fo.run record=fo.Record(every=1) ({owner})"
        )
    values = runs.trajectory_fun.reshape(len(runs.trajectory_steps), -1)
    return runs.trajectory_steps, values.astype(np.float64)


def minima_of(owner: str, why: str, runs: Runs) -> Floats:
    """The least value of each run's surface, (runs,)."""
    least = np.asarray(runs.surface.fun_min, np.float64)
    if np.isnan(least).any():
        raise ValueError(
            f"{why}: the minimum of {runs.surface!r} is not known (fun_min is nan) ({owner})"
        )
    return spread(least, runs)


def spread(least: Floats, runs: Runs) -> Floats:
    """One number, or one for each surface of an ensemble, as one for each run."""
    shape = runs.status.shape
    own = least.reshape(least.shape + (1,) * (len(shape) - least.ndim))
    return np.broadcast_to(own, shape).ravel()
