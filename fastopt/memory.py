"""How much memory there is, so that too large a batch is refused before it is allocated."""

from __future__ import annotations

import os
import sys
from functools import cache as memoise
from pathlib import Path

# Asking what is free takes 0.1 ms, more than a small run; so much is always there.
_TRIFLE = 500_000


def require(needed: int, what: str, remedy: str) -> None:
    """Raise MemoryError, with both figures and *remedy*, if *needed* bytes are not to be had."""
    if needed < _TRIFLE:
        return
    there = available()
    if there is not None and needed > there:
        raise MemoryError(
            f"{what} needs {human(needed)}, but only {human(there)} of memory is free; {remedy}"
        )


def available() -> int | None:
    """Bytes of memory that can still be had, by the machine and by this process's cgroup."""
    limits = [limit for limit in (_machine(), _cgroup()) if limit is not None]
    return min(limits) if limits else None


def human(count: float) -> str:
    """*count* bytes for a person: ``1.5 GB``."""
    units = ("bytes", "kB", "MB", "GB", "TB", "PB")
    power = 0
    while count >= 1000 and power < len(units) - 1:
        count, power = count / 1000, power + 1
    return f"{count:.0f} bytes" if power == 0 else f"{count:.3g} {units[power]}"


def _machine() -> int | None:
    if sys.platform.startswith("linux"):
        try:
            for line in Path("/proc/meminfo").read_text().splitlines():
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
        except (OSError, ValueError, IndexError):
            pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _cgroup() -> int | None:
    """What the tightest memory limit on the way to the root of the hierarchy leaves."""
    return min(
        (left for files in _limit_files() if (left := _left(*files)) is not None), default=None
    )


@memoise
def _limit_files() -> list[tuple[Path, Path]]:
    """The files with limit and usage of each cgroup above this process that has a limit."""
    try:
        entries = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for entry in entries:
        _, controllers, path = entry.split(":", 2)
        if controllers == "":
            root, names = Path("/sys/fs/cgroup"), ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            root = Path("/sys/fs/cgroup/memory")
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        own = root / path.strip("/")
        for folder in (own, *own.parents):
            files = (folder / names[0], folder / names[1])
            if folder.is_relative_to(root) and _left(*files) is not None:
                found.append(files)
    return found


def _left(limit_file: Path, usage_file: Path) -> int | None:
    try:
        limit = limit_file.read_text().strip()
        return None if limit == "max" else max(int(limit) - int(usage_file.read_text()), 0)
    except (OSError, ValueError):
        return None
