"""fastopt: thousands to billions of independent optimiser runs at once."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from fastopt import ensembles, noise, rules, schedules, spectra, starts, surfaces, theory
from fastopt.ensembles import *  # noqa: F403
from fastopt.rules import *  # noqa: F403
from fastopt.run import run, warmup
from fastopt.runs import Runs, Status
from fastopt.stopping import Record, Stop
from fastopt.surfaces import *  # noqa: F403

if TYPE_CHECKING:
    from fastopt import basins, statistics, study
    from fastopt.basins import BasinMap, ParameterMap, basin_fractions, basin_map, parameter_map
    from fastopt.study import Study

__version__ = "0.1.0"

__all__ = [
    "BasinMap",
    "ParameterMap",
    "Record",
    "Runs",
    "Status",
    "Stop",
    "Study",
    "basin_fractions",
    "basin_map",
    "basins",
    "noise",
    "parameter_map",
    "rules",
    "run",
    "schedules",
    "spectra",
    "starts",
    "statistics",
    "study",
    "surfaces",
    "theory",
    "warmup",
    *rules.__all__,
    *surfaces.__all__,
    *ensembles.__all__,
]


# Imported when they are asked for: they would take a tenth of the time of the whole.
_LATER: dict[str, tuple[str, ...]] = {
    "basins": ("BasinMap", "ParameterMap", "basin_fractions", "basin_map", "parameter_map"),
    "statistics": (),
    "study": ("Study",),
}


def __getattr__(name: str) -> Any:
    for module, names in _LATER.items():
        if name == module or name in names:
            imported = importlib.import_module(f"{__name__}.{module}")
            return imported if name == module else getattr(imported, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
