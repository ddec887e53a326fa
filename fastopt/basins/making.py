"""Running the pixels of a map, all of them or those near a boundary."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt import memory
from fastopt.basins.census import Census
from fastopt.basins.plane import Pixels
from fastopt.basins.refining import run_refined
from fastopt.basins.running import Settings, Sweep
from fastopt.rules import Rule
from fastopt.surfaces import Surface


def run_map(
    rule: Rule,
    surface: Surface,
    frame: NDArray[np.float64],
    bounds: NDArray[np.float64],
    shape: tuple[int, int],
    settings: Settings,
    refine: bool = False,
) -> dict[str, Any]:
    """What a map holds, of a window that is known to be one."""
    begun = time.perf_counter()
    rows, columns = shape
    pixel = np.diff(bounds)[:, 0] / (columns, rows) * np.abs(frame[1:]).max(axis=1)
    census = settings.census(surface, float(pixel.max()))
    dtype = np.dtype(settings.dtype)
    needed = rows * columns * settings.bytes_of_pixel
    memory.require(needed, f"a map of {rows:,} x {columns:,} pixels", "give a smaller shape=")
    results = {
        "entries": np.empty(shape, np.int32),
        "steps": np.empty(shape, settings.step_type),
        "fun": np.empty(shape, dtype),
    }
    sweep, share_run = Sweep(rule, surface, settings), 1.0
    if refine:
        share_run = run_refined(sweep, census, frame, bounds, results)
    else:
        _run_all(sweep, census, frame, bounds, results)
    grouped = census.group()
    grouped.label(results["entries"].reshape(-1))
    return {
        "labels": results["entries"],
        "steps": results["steps"],
        "fun": results["fun"],
        "found": grouped.attractors,
        "bounds": bounds,
        "frame": frame,
        "rule_text": repr(rule),
        "surface_text": repr(surface),
        "settings": settings,
        "tolerance": census.tolerance,
        "seconds": time.perf_counter() - begun,
        "run_seconds": sweep.seconds,
        "rule": rule,
        "surface": surface,
        "share_run": share_run,
    }


def _run_all(
    sweep: Sweep,
    census: Census,
    frame: NDArray[np.float64],
    bounds: NDArray[np.float64],
    results: dict[str, NDArray[Any]],
) -> None:
    """Run every pixel, and fill the *results* (entries, steps, fun), each (ny, nx)."""
    rows, columns = results["entries"].shape

    def make(a: int, b: int) -> Pixels:
        return Pixels(frame, bounds, (rows, columns), (a // columns, b // columns))

    flat = {name: array.reshape(-1) for name, array in results.items()}
    for place, runs, entries in sweep.parts(make, rows * columns, columns, census):
        flat["entries"][place] = entries
        flat["steps"][place], flat["fun"][place] = runs.steps, runs.fun
