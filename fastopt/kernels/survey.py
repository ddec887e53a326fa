"""Drivers that evaluate a surface at many points, tile by tile, and advance nothing."""

from __future__ import annotations

import math
from functools import cache as memoise

import numba
import numpy as np

from fastopt.kernels.block import block_signature
from fastopt.kernels.compile import ByDtype, Entry, call_address, compile_entry
from fastopt.kernels.lanes import get, put

# Tags of rows, for `lanes.get` and `lanes.put`: what the block reads and writes, and a norm.
OWN, NORM = 0, 1


@memoise
def build_survey(dtype: str) -> Entry:
    """The compiled :func:`survey`."""
    matrix, vector = np.zeros((0, 0), dtype), np.zeros(0, dtype)
    which = np.zeros(0, np.int64)
    arrays = map(numba.typeof, (matrix, which, matrix, vector, vector, matrix))
    signature = numba.types.void(numba.types.int64, *block_signature(dtype).args[:5], *arrays)
    return compile_entry(survey, dtype, signature, f"survey-{dtype}", from_python=True)


squares_are_normal = ByDtype(
    "squares_are_normal",
    float64=lambda norm: 1e-140 <= norm <= 1e154,
    float32=lambda norm: 1e-15 <= norm <= 1e19,
)
"""Whether the squares in a sum whose root is *norm* have neither over- nor underflowed."""


def _scaled_norm(tile, layout, j):
    """The norm of a gradient whose square is out of range."""
    largest = math.fabs(tile[layout.g, j])
    for i in range(1, layout.dim):
        slope = math.fabs(tile[layout.g + i, j])
        if not slope <= largest:  # also nan, which then stays
            largest = slope
    if not 0.0 < largest < math.inf:
        return largest
    total = 0.0
    for i in range(layout.dim):
        share = tile[layout.g + i, j] / largest
        total += share * share
    return largest * math.sqrt(total)


def survey(evaluation, tile, layout, q, minima, rates, given, which, points, fun, norm, gradients):
    """Value and gradient norm at each of *points* (n, dim); gradients where there is room.

    If points have numbers of their own, they are the columns *which* (n,) of *given*.
    """
    for first in range(0, points.shape[0], tile.shape[1]):
        w = min(tile.shape[1], points.shape[0] - first)
        for i in range(layout.dim):
            for j in range(w):
                put(tile, OWN, i, j, points[first + j, i])
        for k in range(given.shape[0]):
            for j in range(w):
                put(tile, OWN, layout.given + k, j, given[k, which[first + j]])
        call_address(evaluation, (tile, layout, q, minima, rates, w, 0, 0))
        for j in range(w):
            slope = get(tile, OWN, layout.g, j)
            put(tile, NORM, layout.mark, j, slope * slope)
        for i in range(1, layout.dim):
            for j in range(w):
                slope, square = get(tile, OWN, layout.g + i, j), get(tile, NORM, layout.mark, j)
                put(tile, NORM, layout.mark, j, square + slope * slope)
        for j in range(w):
            norm[first + j] = math.sqrt(get(tile, NORM, layout.mark, j))
        for j in range(w):
            if not squares_are_normal(norm[first + j]):
                norm[first + j] = _scaled_norm(tile, layout, j)
        for j in range(w):
            fun[first + j] = get(tile, OWN, layout.f, j)
        if gradients.shape[0] > 0:
            for i in range(layout.dim):
                for j in range(w):
                    gradients[first + j, i] = get(tile, OWN, layout.g + i, j)


@memoise
def build_hessian_survey(dtype: str) -> Entry:
    """The compiled :func:`survey_hessian`."""
    matrix = numba.typeof(np.zeros((0, 0), dtype))
    signature = numba.types.void(
        numba.types.int64, *block_signature(dtype).args[:5], matrix, matrix
    )
    label = f"hessian-survey-{dtype}"
    return compile_entry(survey_hessian, dtype, signature, label, from_python=True)


def survey_hessian(evaluation, tile, layout, q, minima, rates, points, triangles):
    """The lower triangle of the Hessian at each of *points* (n, dim)."""
    for first in range(0, points.shape[0], tile.shape[1]):
        w = min(tile.shape[1], points.shape[0] - first)
        for i in range(layout.dim):
            for j in range(w):
                put(tile, OWN, i, j, points[first + j, i])
        call_address(evaluation, (tile, layout, q, minima, rates, w, 0, 0))
        for i in range(triangles.shape[1]):
            for j in range(w):
                triangles[first + j, i] = get(tile, OWN, layout.e + i, j)
