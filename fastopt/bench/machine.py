"""What the figures were measured on."""

from __future__ import annotations

import datetime
import importlib.metadata
import importlib.util
import os
import platform
import sys
from pathlib import Path

from fastopt.info import processor
from fastopt.workers import processors

PACKAGES = ("fastopt", "numba", "numpy", "scipy", "jax", "jaxlib", "optax", "torch", "dynlib")


def missing(*packages: str) -> str | None:
    """The first of *packages* that is not installed."""
    return next((name for name in packages if importlib.util.find_spec(name) is None), None)


def describe() -> dict[str, str]:
    """Date, processor and versions."""
    count = processors()
    load = f", load {os.getloadavg()[0]:.1f} before" if hasattr(os, "getloadavg") else ""
    versions = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        if missing(name) is None:
            versions.append(f"{name} {_version(name)}")
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{processor()}, {count} processor{'' if count == 1 else 's'}{load}",
        "versions": ", ".join(versions),
    }


def peak_memory() -> int:
    """The most bytes of memory that this process ever had."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss begins at that of the parent
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:  # run from a source tree
        return str(getattr(importlib.import_module(name), "__version__", "?"))
