"""Schedules: learning rates that change with the step.

``fo.Adam(learning_rate=fo.schedules.Cosine(0.1, steps=1000))``. A schedule is a function of the
step's index, from 0, that returns a float >= 0; any function of your own will do. Those here are
immutable, checked when made, and can be scaled by one rate a run::

    rates = np.geomspace(1e-3, 1, 100)
    fo.Adam(learning_rate=rates * fo.schedules.Cosine(1.0, steps=1000))
"""

from fastopt.schedules.base import Scaled, Schedule
from fastopt.schedules.cycles import (
    Cosine,
    CosineRestarts,
    LinearWarmup,
    OneCycle,
    WarmupStableDecay,
)
from fastopt.schedules.decays import (
    Constant,
    Exponential,
    InverseTime,
    MultiStep,
    Polynomial,
    Step,
)

__all__ = [
    "Constant",
    "Cosine",
    "CosineRestarts",
    "Exponential",
    "InverseTime",
    "LinearWarmup",
    "MultiStep",
    "OneCycle",
    "Polynomial",
    "Scaled",
    "Schedule",
    "Step",
    "WarmupStableDecay",
]
