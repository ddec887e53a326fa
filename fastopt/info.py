"""What this installation of fastopt runs on."""

from __future__ import annotations

import platform
import subprocess
import sys
import textwrap
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

import fastopt
from fastopt import memory
from fastopt.kernels import cache
from fastopt.workers import processors


def collect() -> dict[str, Any]:
    """Versions, processor, memory and cache, as ``fastopt info --json`` prints them.

    Returns
    -------
    dict
        Sizes in bytes; None for what cannot be found out.
    """
    entries = cache.entries()
    return {
        "versions": _versions() | {"python": platform.python_version()},
        "processor": processor(),
        "processors_usable": processors(),
        "vector_bits": vector_bits(),
        "fused_multiply_add": has_fma(),
        "memory_free": memory.available(),
        "cache_folder": str(cache.folder()),
        "cache_entries": len(entries),
        "cache_size": sum(size for _, size in entries),
    }


def describe(facts: dict[str, Any]) -> list[str]:
    """The same facts as lines of text, a label of 16 characters first."""
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items() if number)
    free = facts["memory_free"]
    fma = "with" if facts["fused_multiply_add"] else "without"
    count, size = facts["cache_entries"], memory.human(facts["cache_size"])
    rows = {
        "versions": versions,
        "processor": facts["processor"],
        "usable": f"{facts['processors_usable']} processors (threads=)",
        "vectors": f"{facts['vector_bits']} bits, {fma} fused multiply-add",
        "memory free": "?" if free is None else memory.human(free),
        "cache folder": facts["cache_folder"],
        "compiled": f"{count:,} {'entry' if count == 1 else 'entries'}, {size}",
    }
    return [
        line
        for label, text in rows.items()
        for line in textwrap.wrap(
            text,
            initial_indent=f"{label:14}",
            subsequent_indent=" " * 14,
            width=80,
            break_long_words=False,
        )
    ]


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"fastopt": fastopt.__version__}
    for name in ("numpy", "numba", "llvmlite", "scipy", "matplotlib"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def processor() -> str:
    """The name of the processor."""
    if sys.platform.startswith("linux"):
        try:
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
        except OSError:
            pass
    if sys.platform == "darwin":
        try:
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(
                command, capture_output=True, text=True, check=True
            ).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            pass
    return platform.processor() or llvm.get_host_cpu_name()


def vector_bits() -> int:
    """The width of the widest vector registers that LLVM sees on this machine, in bits."""
    features = _features()
    if features.get("avx512f"):
        return 512
    return 256 if features.get("avx2") or features.get("avx") else 128


def has_fma() -> bool:
    """Whether a * b + c is one instruction here."""
    if platform.machine().lower() in ("aarch64", "arm64"):
        return True  # part of the architecture
    return bool(_features().get("fma"))


def _features() -> dict[str, bool]:
    try:
        return dict(llvm.get_host_cpu_features())
    except RuntimeError:  # LLVM does not know how to ask on every platform
        return {}
