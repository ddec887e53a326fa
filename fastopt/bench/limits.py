"""What this machine does at most, measured on all threads at once, and what follows for a step."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from fastopt import memory
from fastopt.bench.matrix_product import measured_product
from fastopt.kernels.operations import Operations
from fastopt.kernels.packed import WIDTH
from fastopt.kernels.throughput import VECTORS, build_chain, build_triad
from fastopt.workers import share_out

_CACHES = Path("/sys/devices/system/cpu")
_FACTS = ("level", "size", "shared_cpu_list")
# Where the system does not say how large its caches are: as large as any in a laptop.
_USUAL_CACHE = 32 << 20
# Three arrays of so many times all last-level caches.
_TIMES_CACHE = 2
_SECONDS, _SHARE_SECONDS = 0.01, 0.2

ARITHMETIC, DIVIDER, MEMORY, PRODUCT = "arithmetic", "divide, root", "memory", "matrix product"


class Needs(NamedTuple):
    """What a start-step takes."""

    operations: Operations = Operations()
    bytes: float = 0.0
    """Of starts and results, read and written."""
    products: float = 0.0
    """Multiply-adds of a matrix product."""


class Bound(NamedTuple):
    """The scarcest unit, and the rate that it would allow if nothing else took time."""

    unit: str
    rate: float


@dataclass(frozen=True)
class Limits:
    """What all threads together do in a second."""

    multiply_add: float
    add: float
    arithmetic: float
    """Multiply-adds and additions in turn, both counted."""
    divide: float
    root: float
    divide_root: float
    """Pairs of a division and a square root."""
    memory: float
    """Bytes read and written by a = b + 0.7 c."""
    product: float
    """Operations of a matrix product, a multiply-add being two."""

    def bound(self, needs: Needs) -> Bound:
        """What limits steps that need so much."""
        multiply_adds, adds, divisions, roots = needs.operations
        pairs = min(divisions, roots)
        seconds = {
            ARITHMETIC: max(
                multiply_adds / self.multiply_add,
                adds / self.add,
                (multiply_adds + adds) / self.arithmetic,
            ),
            DIVIDER: pairs / self.divide_root
            + (divisions - pairs) / self.divide
            + (roots - pairs) / self.root,
            MEMORY: needs.bytes / self.memory,
            PRODUCT: 2 * needs.products / self.product,
        }
        unit = max(seconds, key=lambda name: seconds[name])
        return Bound(unit, 1 / seconds[unit])


def measure_limits(threads: int, repeats: int = 4) -> Limits:
    """Measure them, the best of some *repeats* each, which takes about 2 seconds.

    Raises
    ------
    MemoryError
        There is no room for three arrays that are larger than the caches.
    """
    names = ("multiply_add", "add", "arithmetic", "divide", "root", "divide_root")
    chains = {name: _chain_rate(name, threads, repeats) for name in names}
    return Limits(**chains, memory=_bandwidth(threads, repeats), product=measured_product(threads))


def processor_share(threads: int) -> float:
    """The share of so many processors that this process gets; the rest is other programs'."""
    run = build_chain("multiply_add", VECTORS[0]).call
    numbers = np.full((threads, 2, VECTORS[0] * WIDTH), 1.1)
    n, taken, passed = 1_000_000, 0.0, 0.0
    while passed < _SHARE_SECONDS:
        begun = time.process_time()
        passed += _seconds(lambda k: run(numbers[k], n), threads)
        taken += time.process_time() - begun
    return min(taken / (passed * threads), 1.0)


def _seconds(work: Callable[[int], None], threads: int) -> float:
    """How long ``work(0)``, ``work(1)``, ... take, each on a thread."""
    numbers = itertools.count()
    begun = time.perf_counter()
    share_out(lambda: work(next(numbers)), threads, threading.Event())
    return time.perf_counter() - begun


def _chain_rate(name: str, threads: int, repeats: int) -> float:
    best = 0.0
    for count in VECTORS:
        run = build_chain(name, count).call
        numbers = np.full((threads, 2, count * WIDTH), 1.1)
        n = 1000
        while (alone := _seconds(lambda k: run(numbers[k], n), 1)) < _SECONDS / 4:  # noqa: B023
            n *= 2
        n = max(int(n * _SECONDS / alone), 1)
        seconds = min(
            _seconds(lambda k: run(numbers[k], n), threads)  # noqa: B023
            for _ in range(repeats)
        )
        best = max(best, threads * n * numbers[0].size / seconds)
    return best


def _bandwidth(threads: int, repeats: int) -> float:
    size = _TIMES_CACHE * cache_bytes()
    memory.require(3 * size, "measuring the memory's bandwidth", "end another program")
    ends = np.linspace(0, size // 8, threads + 1).astype(int)
    a, b, c = (np.empty(size // 8) for _ in range(3))
    triad = build_triad().call

    def touch(k: int) -> None:
        for array in (a, b, c):
            array[ends[k] : ends[k + 1]] = 1.0

    _seconds(touch, threads)
    seconds = min(
        _seconds(lambda k: triad(a, b, c, ends[k], ends[k + 1]), threads) for _ in range(repeats)
    )
    return 3 * size / seconds


def cache_bytes() -> int:
    """The last-level caches of the processors that this process may use, together."""
    if not hasattr(os, "sched_getaffinity"):
        return _USUAL_CACHE
    last: dict[str, int] = {}
    try:
        for processor in os.sched_getaffinity(0):
            folders = (_CACHES / f"cpu{processor}" / "cache").glob("index*")
            caches = [
                [
                    (folder / name).read_text().strip()
                    for name in ("level", "size", "shared_cpu_list")
                ]
                for folder in folders
            ]
            _, size, users = max(caches)
            last[users] = int(size.removesuffix("K")) << 10
    except (OSError, ValueError):
        return _USUAL_CACHE
    return sum(last.values()) or _USUAL_CACHE


def _read(path: Path) -> str:
    return path.read_text().strip()
