"""Memory: how much there is, and arrays that cost few page faults.

The first touch of a page of 4 KB costs up to 3 µs on a virtual machine. Gradient descent from
100,000 starts takes 10 ms for 1,000 steps, and touches 4 MB of results and 2 MB of scratch:
page by page, that would be half as much again.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
from functools import cache as memoise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.kernels.tile import CACHE_LINE

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


Arrays = dict[str, tuple[tuple[int, ...], str]]
"""Shape and dtype of each of some arrays."""

# NumPy asks for large pages for what has at least so many bytes, where a whole one fits in.
_NUMPY_LARGE = 4 << 20
_LARGE_PAGE = 2 << 20
# In one block between these bytes. Fewer: no gain. More: each array has large pages anyway,
# and a block would be kept as a whole by someone who keeps only one of its arrays.
_BLOCK = (1 << 20, 1 << 26)


def allocate(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """New arrays, with whatever is in them, in large pages where that is faster."""
    size = _size(arrays)
    if not _BLOCK[0] <= size <= _BLOCK[1]:
        return {name: np.empty(*array) for name, array in arrays.items()}
    return _carve(np.empty(max(size + _LARGE_PAGE, _NUMPY_LARGE), np.uint8), arrays)


class Scratch:
    """Arrays that begin on a cache line, in memory that later calls use again.

    Where NumPy puts an array, each of its vectors may be across two lines, which takes a
    third of momentum's rate.
    """

    # So much stays allocated for each thread, at most.
    _MOST_KEPT = 4 << 20
    _kept: list[NDArray[np.uint8]] = []  # noqa: RUF012 (shared on purpose)

    def __init__(self, arrays: Arrays):
        size = _size(arrays)
        try:
            buffer = self._kept.pop()  # one operation, so threads need no lock
        except IndexError:
            buffer = np.empty(0, np.uint8)
        self._buffer = buffer if len(buffer) >= size else np.empty(size, np.uint8)
        self.arrays = _carve(self._buffer, arrays)

    def close(self) -> None:
        """Leave the memory to the next; the arrays must not be used any more."""
        if len(self._buffer) <= self._MOST_KEPT:
            self._kept.append(self._buffer)


def trim() -> None:
    """Give memory that is not used any more back to the system, where malloc keeps it.

    A study of 100 cells on two threads, whose arrays of some MB come and go beside counts that
    stay, would come to hold half as much again as it uses.
    """
    if function := _malloc_trim():
        function(0)


@memoise
def _malloc_trim() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), "malloc_trim", None)  # which glibc has, but not musl


def _bytes(shape: tuple[int, ...], dtype: str) -> int:
    return math.prod(shape) * np.dtype(dtype).itemsize


def _size(arrays: Arrays) -> int:
    return sum(_bytes(*array) + CACHE_LINE for array in arrays.values())


def _carve(buffer: NDArray[np.uint8], arrays: Arrays) -> dict[str, NDArray[Any]]:
    carved, place, address = {}, 0, buffer.__array_interface__["data"][0]
    for name, (shape, dtype) in arrays.items():
        place += -(address + place) % CACHE_LINE
        end = place + _bytes(shape, dtype)
        carved[name] = buffer[place:end].view(dtype).reshape(shape)
        place = end
    return carved


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
def _limit_files() -> list[tuple[Path, Path, Path]]:
    """The files with limit, usage and its kinds of each cgroup above that has a limit."""
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
            files = (folder / names[0], folder / names[1], folder / "memory.stat")
            if folder.is_relative_to(root) and _left(*files) is not None:
                found.append(files)
    return found


def _left(limit_file: Path, usage_file: Path, kinds_file: Path) -> int | None:
    try:
        limit = limit_file.read_text().strip()
        if limit == "max":
            return None
        used = int(usage_file.read_text()) - _file_pages(kinds_file)
        return min(max(int(limit) - used, 0), int(limit))
    except (OSError, ValueError):
        return None


def _file_pages(kinds_file: Path) -> int:
    """Bytes of a cgroup's usage that are copies of files, which the kernel gives up first."""
    try:
        pairs = (line.split() for line in kinds_file.read_text().splitlines())
        kinds = {name: int(count) for name, count in pairs}
    except (OSError, ValueError):
        return 0
    # Version 1 counts the groups below in the totals alone, version 2 everywhere.
    names = ("inactive_file", "active_file")
    return sum(kinds.get(f"total_{name}", kinds.get(name, 0)) for name in names)
