"""Random numbers drawn by kernels, on one processor, and starts."""

from __future__ import annotations

import numpy as np
from numba import types

import fastopt as fo
from fastopt.kernels.compile import compile_entry
from fastopt.kernels.lanes import put
from fastopt.kernels.philox import normals, philox, uniforms

from .common import cost

_LANES, _TILES = 512, 4000
_KINDS = {"normals": normals, "uniforms": uniforms}


class Philox:
    """Two numbers a lane and call of Philox, over a tile."""

    params = (list(_KINDS), ["float64", "float32"])
    param_names = ("kind", "dtype")

    def setup(self, kind, dtype):
        numbers = _KINDS[kind]

        def fill(out, tiles):
            for step in range(tiles):
                for j in range(out.shape[1]):
                    a, b = numbers(*philox(j, 0, step, 0, 1, 2))
                    put(out, 0, 0, j, a)
                    put(out, 1, 1, j, b)

        out = np.zeros((2, _LANES), dtype)
        signature = types.void(getattr(types, dtype)[:, ::1], types.int64)
        label = f"benchmark-{kind}-{dtype}"
        entry = compile_entry(fill, dtype, signature, label, from_python=True)
        self.call = lambda: entry.call(out, _TILES)
        self.call()

    def track_cost(self, kind, dtype):
        return cost(2 * _LANES * _TILES, self.call)

    track_cost.unit = "ns/number"


_DIM, _STARTS = 2, 10**6


class Starts:
    """A million starts in 2-D as an array."""

    params = (["uniform", "normal", "sobol", "grid"],)
    param_names = ("kind",)

    def setup(self, kind):
        low, high = [-5.0] * _DIM, [5.0] * _DIM
        self.starts = {
            "uniform": fo.starts.Uniform(low, high, n=_STARTS, seed=1),
            "normal": fo.starts.Normal(low, high, n=_STARTS, seed=1),
            "sobol": fo.starts.Sobol(low, high, n=_STARTS, seed=1),
            "grid": fo.starts.Grid(low, high, shape=(1000, 1000)),
        }[kind]
        self.starts.chunk(0, 10)

    def track_cost(self, kind):
        return cost(_DIM * _STARTS, lambda: np.asarray(self.starts))

    track_cost.unit = "ns/number"
