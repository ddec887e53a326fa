"""What a file of a map of basins holds."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from fastopt.basins import storage
from fastopt.basins.attractors import Attractors
from fastopt.basins.running import Settings
from fastopt.stopping import Stop

if TYPE_CHECKING:
    from fastopt.basins.map import BasinMap

_KIND = "basin map"
_ARRAYS = ("labels", "steps", "fun", "bounds", "frame")
_FACTS = ("rule_text", "surface_text", "tolerance", "seconds", "run_seconds", "share_run")


def save(basins: BasinMap, path: str | os.PathLike[str]) -> None:
    """Write *basins* to *path*, whole or not at all."""
    found, settings = basins.found, basins.settings
    arrays = {name: getattr(basins, name) for name in _ARRAYS} | {
        "attractors": found.points,
        "values": found.values,
        "orbits": np.concatenate([*found.orbits, np.zeros((0, found.points.shape[1]))]),
        "periods": found.periods,
        "extents": np.concatenate([*found.extents, np.zeros((0, found.points.shape[1]))]),
        "widths": np.array([len(extent) for extent in found.extents], np.int64),
    }
    facts = {name: getattr(basins, name) for name in _FACTS} | {
        "kinds": found.kinds,
        "matched": found.matched,
        "cell": found.cell,
        "settings": {
            "max_steps": settings.max_steps,
            "stop": asdict(settings.stop),
            "tolerance": settings.tolerance,
            "longest_cycle": settings.longest_cycle,
            "dtype": np.dtype(settings.dtype).name,
        },
    }
    storage.write(path, _KIND, facts, arrays)


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What the constructor of a map takes, from a file."""
    facts, arrays = storage.read(path, _KIND, "fo.basin_map")
    found = Attractors(
        points=arrays["attractors"],
        values=arrays["values"],
        kinds=tuple(facts["kinds"]),
        matched=tuple(facts["matched"]),
        orbits=tuple(np.split(arrays["orbits"], np.cumsum(arrays["periods"])))[:-1],
        extents=tuple(np.split(arrays["extents"], np.cumsum(arrays["widths"])))[:-1],
        cell=facts["cell"],
    )
    settings = facts["settings"]
    settings["stop"] = Stop(**settings["stop"])
    return (
        {name: arrays[name] for name in _ARRAYS}
        | {name: facts[name] for name in _FACTS}
        | {"found": found, "settings": Settings(**settings)}
    )
