"""fastopt: thousands to billions of independent optimiser runs at once."""

from fastopt import ensembles, noise, rules, schedules, spectra, starts, surfaces, theory
from fastopt.ensembles import *  # noqa: F403
from fastopt.rules import *  # noqa: F403
from fastopt.run import run, warmup
from fastopt.runs import Runs, Status
from fastopt.stopping import Record, Stop
from fastopt.surfaces import *  # noqa: F403

__version__ = "0.1.0"

__all__ = [
    "Record",
    "Runs",
    "Status",
    "Stop",
    "noise",
    "rules",
    "run",
    "schedules",
    "spectra",
    "starts",
    "surfaces",
    "theory",
    "warmup",
    *rules.__all__,
    *surfaces.__all__,
    *ensembles.__all__,
]
