"""The same runs in a C++ tile loop, compiled on the spot: what a hand-written loop reaches.

Structure-of-arrays tiles, gradient and update fused, the loop over the lanes innermost and
vectorised, tiles handed out to as many threads as fastopt uses. Like ``fo.run(stop=None)`` it
ends with value and gradient norm of every run; unlike it, it looks for no divergence. The
tile's size and the vectors' width are whichever is fastest here. GCC and clang contract
products and sums to fma by default where the processor has it, as fastopt does everywhere by
a rule of its own; they need not choose the same products, so last bits differ.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import timeit
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

import fastopt as fo
from fastopt.bench.cpp_rules import LOOPS

# Without -fno-math-errno GCC does not vectorise sqrt; it changes no result.
FLAGS = ["-O3", "-march=native", "-fno-math-errno", "-std=c++17", "-shared", "-fPIC", "-pthread"]
# GCC prefers 256 bits on many processors that have 512.
WIDTHS = {"": [], "512 bits": ["-mprefer-vector-width=512"]}
TILES = (64, 128, 256, 512)

_COMMON = r"""
#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

template <int W, class Tile>
static void batch(Tile tile, const double* starts, long n, int threads,
                  double* out, double* fun, double* norm) {
    std::atomic<long> next{0};
    auto work = [&] {
        for (long i; (i = next.fetch_add(W)) < n;)
            tile(starts + 2 * i, n - i < W ? n - i : W, out + 2 * i, fun + i, norm + i);
    };
    std::vector<std::thread> helpers;
    for (int k = 1; k < threads; k++) helpers.emplace_back(work);
    work();
    for (auto& helper : helpers) helper.join();
}
"""

# In capitals what a rule puts there.
_RULE = r"""
template <int W>
static void NAME_tile(const double* starts, long n, long steps, const double* p,
                      double* out, double* fun, double* norm) {
    PARAMETERS
    alignas(64) double ARRAYS;
    for (long j = 0; j < n; j++) { x_0[j] = starts[2 * j]; x_1[j] = starts[2 * j + 1]; }
    STATE
    for (long t = 0; t < steps; t++) {
        asm volatile("");  // else GCC jams two steps together, in scalars
        STEP
        for (int j = 0; j < W; j++) {
            const double rise = x_1[j] - x_0[j] * x_0[j];
            const double g_0 = -400 * x_0[j] * rise - 2 * (1 - x_0[j]), g_1 = 200 * rise;
            UPDATES
        }
    }
    for (long j = 0; j < n; j++) {
        const double rise = x_1[j] - x_0[j] * x_0[j], rest = 1 - x_0[j];
        const double gx = -400 * x_0[j] * rise - 2 * rest, gy = 200 * rise;
        out[2 * j] = x_0[j];
        out[2 * j + 1] = x_1[j];
        fun[j] = 100 * rise * rise + rest * rest;
        norm[j] = std::sqrt(gx * gx + gy * gy);
    }
}

template <int W>
static void NAME_batch(const double* starts, long n, long steps, const double* p, int threads,
                       double* out, double* fun, double* norm) {
    const auto tile = [=](const double* first, long count, double* x, double* f, double* g) {
        NAME_tile<W>(first, count, steps, p, x, f, g);
    };
    batch<W>(tile, starts, n, threads, out, fun, norm);
}

extern "C" void NAME(int width, const double* starts, long n, long steps, const double* p,
                     int threads, double* out, double* fun, double* norm) {
    (width == 64 ? NAME_batch<64> : width == 128 ? NAME_batch<128>
     : width == 256 ? NAME_batch<256> : NAME_batch<512>)(
        starts, n, steps, p, threads, out, fun, norm);
}
"""


def _source(name: str) -> str:
    """The loops of a rule."""
    loop, kept = LOOPS[name], ("x", *LOOPS[name].slots)
    updates = []
    for k in range(2):
        here = ", ".join(f"&{array} = {array}_{k}[j]" for array in kept)
        updates.append(f"{{ double {here}; const double g = g_{k}; {loop.update} }}")
    parameters = fo.rules.get(name).parameter_names()
    inserts = {
        "NAME": name,
        "PARAMETERS": "".join(f"const double {p} = p[{i}]; " for i, p in enumerate(parameters)),
        "ARRAYS": ", ".join(f"{array}_{k}[W] = {{}}" for array in kept for k in range(2)),
        "STATE": loop.state,
        "STEP": loop.step,
        "UPDATES": "\n".join(updates),
    }
    source = _RULE
    for mark, text in inserts.items():
        source = source.replace(mark, text)
    return source


class Peer:
    """The compiled loops; ``None`` from :func:`compile_peer` where there is no compiler."""

    def __init__(self, libraries: dict[str, ctypes.CDLL], compiler: str, threads: int):
        self._libraries = libraries
        self.compiler = compiler
        self._threads = threads

    def fastest(
        self, rule: fo.rules.Rule, starts: Any, steps: int
    ) -> tuple[str, Callable[[], Any]]:
        """The fastest tile and width for this case: their name, and a function to call."""
        candidates = {
            f"tiles of {tile}" + (f", {width}" if width else ""): self._prepared(
                getattr(library, rule.name), tile, rule, starts
            )
            for width, library in self._libraries.items()
            for tile in TILES
        }

        def seconds(name):
            run = candidates[name]
            return min(timeit.repeat(lambda: run(max(steps // 10, 1)), number=1, repeat=3))

        name = min(candidates, key=seconds)
        return name, lambda: candidates[name](steps)

    def _prepared(self, function, tile, rule, starts):
        parameters = np.array(rule.numbers)

        def call(steps):
            # New arrays in every call, as in fastopt.
            out, fun, norm = np.empty_like(starts), np.empty(len(starts)), np.empty(len(starts))
            function(
                tile,
                _address(starts),
                ctypes.c_long(len(starts)),
                ctypes.c_long(steps),
                _address(parameters),
                self._threads,
                *map(_address, (out, fun, norm)),
            )
            return out

        return call


def _address(array):
    return ctypes.c_void_p(array.ctypes.data)


def compile_peer(rules: Iterable[str], threads: int) -> Peer | None:
    """Compile the loops of *rules* with $CXX, c++, g++ or clang++; None if there is none."""
    names = [os.environ.get("CXX"), "c++", "g++", "clang++"]
    compiler = next((name for name in names if name and shutil.which(name)), None)
    if compiler is None:
        return None
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    libraries = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "loop.cpp"
        source.write_text(_COMMON + "".join(map(_source, rules)))
        for number, (width, more) in enumerate(WIDTHS.items()):
            library = Path(folder) / f"loop{number}.so"
            command = [compiler, *FLAGS, *more, str(source), "-o", str(library)]
            made = subprocess.run(command, capture_output=True, text=True)
            if made.returncode == 0:
                libraries[width] = ctypes.CDLL(str(library))
            elif not more:
                raise RuntimeError(f"{' '.join(command)} failed:\n{made.stderr}")
    name = f"{compiler} {version.stdout.splitlines()[0].split()[-1]}"
    return Peer(libraries, name, threads)
