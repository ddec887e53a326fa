"""The same runs in a C++ tile loop, compiled on the spot: what a hand-written loop reaches.

Structure-of-arrays tiles, gradient and update fused, the loop over the lanes innermost and
vectorised, tiles handed out to as many threads as fastopt uses. Like ``fo.run(stop=None)`` it
ends with value and gradient norm of every run; unlike it, it looks for no divergence. The
tile's size and the vectors' width are whichever is fastest here. GCC's default contracts
products and sums to fma, which makes its gradient descent 10% faster, and results differ with
the compiler; fastopt's arithmetic is strict.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import timeit
from pathlib import Path

import numpy as np

# Without -fno-math-errno GCC does not vectorise sqrt; it changes no result.
FLAGS = ["-O3", "-march=native", "-fno-math-errno", "-std=c++17", "-shared", "-fPIC", "-pthread"]
# GCC prefers 256 bits on many processors that have 512.
WIDTHS = {"": [], "512 bits": ["-mprefer-vector-width=512"]}
TILES = (64, 128, 256, 512)
RULES = {"gradient_descent": 0, "momentum": 1, "adam": 2}

_SOURCE = r"""
#include <atomic>
#include <cmath>
#include <thread>
#include <vector>

template <int RULE, int W>
static void tile(const double* starts, long n, long steps, double rate,
                 double* out, double* fun, double* norm) {
    alignas(64) double x[W] = {}, y[W] = {}, a[W] = {}, b[W] = {}, c[W] = {}, d[W] = {};
    for (long j = 0; j < n; j++) { x[j] = starts[2 * j]; y[j] = starts[2 * j + 1]; }
    double power1 = 1, power2 = 1;
    for (long t = 0; t < steps; t++) {
        power1 *= 0.9;
        power2 *= 0.999;
        const double scale = rate / (1 - power1), debias = 1 / (1 - power2);
        for (int j = 0; j < W; j++) {
            const double rise = y[j] - x[j] * x[j];
            const double gx = -400 * x[j] * rise - 2 * (1 - x[j]), gy = 200 * rise;
            if (RULE == 0) {
                x[j] -= rate * gx;
                y[j] -= rate * gy;
            } else if (RULE == 1) {
                a[j] = 0.9 * a[j] - rate * gx;
                b[j] = 0.9 * b[j] - rate * gy;
                x[j] += a[j];
                y[j] += b[j];
            } else {
                a[j] = 0.9 * a[j] + (1 - 0.9) * gx;
                b[j] = 0.9 * b[j] + (1 - 0.9) * gy;
                c[j] = 0.999 * c[j] + (1 - 0.999) * (gx * gx);
                d[j] = 0.999 * d[j] + (1 - 0.999) * (gy * gy);
                x[j] -= scale * a[j] / (std::sqrt(c[j] * debias) + 1e-8);
                y[j] -= scale * b[j] / (std::sqrt(d[j] * debias) + 1e-8);
            }
        }
    }
    for (long j = 0; j < n; j++) {
        const double rise = y[j] - x[j] * x[j], rest = 1 - x[j];
        const double gx = -400 * x[j] * rise - 2 * rest, gy = 200 * rise;
        out[2 * j] = x[j];
        out[2 * j + 1] = y[j];
        fun[j] = 100 * rise * rise + rest * rest;
        norm[j] = std::sqrt(gx * gx + gy * gy);
    }
}

template <int RULE, int W>
static void batch(const double* starts, long n, long steps, double rate, int threads,
                  double* out, double* fun, double* norm) {
    std::atomic<long> next{0};
    auto work = [&] {
        for (long i; (i = next.fetch_add(W)) < n;)
            tile<RULE, W>(starts + 2 * i, n - i < W ? n - i : W, steps, rate,
                          out + 2 * i, fun + i, norm + i);
    };
    std::vector<std::thread> helpers;
    for (int k = 1; k < threads; k++) helpers.emplace_back(work);
    work();
    for (auto& helper : helpers) helper.join();
}

template <int W>
static void any(int rule, const double* starts, long n, long steps, double rate, int threads,
                double* out, double* fun, double* norm) {
    (rule == 0 ? batch<0, W> : rule == 1 ? batch<1, W> : batch<2, W>)(
        starts, n, steps, rate, threads, out, fun, norm);
}

extern "C" void run(int rule, int width, const double* starts, long n, long steps, double rate,
                    int threads, double* out, double* fun, double* norm) {
    (width == 64 ? any<64> : width == 128 ? any<128> : width == 256 ? any<256> : any<512>)(
        rule, starts, n, steps, rate, threads, out, fun, norm);
}
"""


class Peer:
    """The compiled loops; ``None`` from :func:`compile_peer` where there is no compiler."""

    def __init__(self, libraries: dict[str, ctypes.CDLL], compiler: str, threads: int):
        self._libraries = libraries
        self.compiler = compiler
        self._threads = threads

    def fastest(self, rule: str, rate: float, starts, steps: int):
        """The fastest tile and width for this case: their name, and a function to call."""
        candidates = {
            f"tiles of {tile}" + (f", {width}" if width else ""): self._prepared(
                library, tile, rule, rate, starts
            )
            for width, library in self._libraries.items()
            for tile in TILES
        }

        def seconds(name):
            run = candidates[name]
            return min(timeit.repeat(lambda: run(max(steps // 10, 1)), number=1, repeat=3))

        name = min(candidates, key=seconds)
        return name, lambda: candidates[name](steps)

    def _prepared(self, library, tile, rule, rate, starts):
        def call(steps):
            # New arrays in every call, as in fastopt.
            out, fun, norm = np.empty_like(starts), *(np.empty(len(starts)) for _ in range(2))
            library.run(
                RULES[rule],
                tile,
                _address(starts),
                ctypes.c_long(len(starts)),
                ctypes.c_long(steps),
                ctypes.c_double(rate),
                self._threads,
                *map(_address, (out, fun, norm)),
            )
            return out

        return call


def _address(array):
    return ctypes.c_void_p(array.ctypes.data)


def compile_peer(threads: int) -> Peer | None:
    """Compile the loops with $CXX, c++, g++ or clang++; None if there is none of them."""
    names = [os.environ.get("CXX"), "c++", "g++", "clang++"]
    compiler = next((name for name in names if name and shutil.which(name)), None)
    if compiler is None:
        return None
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True)
    libraries = {}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "loop.cpp"
        source.write_text(_SOURCE)
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
