"""Rotations of points, as products of reflections: O(dim²) a point, without a matrix."""

from __future__ import annotations

from functools import cache as memoise

import numba
import numpy as np

from fastopt.kernels.compile import Entry, compile_entry, from_source, merged
from fastopt.kernels.expressions import indent, over_lanes
from fastopt.kernels.lanes import get, put, registers
from fastopt.kernels.parts import KernelFunction

# Lanes that are turned together: fewer would leave the multiply-adds waiting for each other,
# and LLVM would not vectorise them.
LANES = 32
# So many reflections go over a tile at once, for it is larger than the L1 cache.
_AT_ONCE = 4
# The tag of a tile's rows, for `lanes.get` and `lanes.put`.
POINT = 0


@memoise
def build_turn() -> Entry:
    """The compiled :func:`turn`; always in float64."""
    matrix, ends = numba.typeof(np.zeros((0, 0))), numba.typeof(np.zeros(0, np.int64))
    signature = numba.types.void(matrix, ends, matrix, matrix, numba.types.boolean)
    return compile_entry(turn, "float64", signature, "turn", from_python=True)


def turn(rotations, ends, points, tile, back):
    """Replace each of *points* (n, dim) by Q x, or by Q' x if *back*.

    Q = H_1 ... H_dim D, where H_k = I - v v' with v in the coordinates from k on, and D is
    diagonal. Each of *rotations* (m, dim (dim + 1) / 2 + dim) holds one v after the other, then
    the diagonal; the k-th is that of the points ``ends[k]`` to ``ends[k + 1] - 1``. The *tile*
    (dim, LANES) is scratch. What becomes of a point does not depend on the others.
    """
    for k in range(rotations.shape[0]):
        for first in range(ends[k], ends[k + 1], LANES):
            _turn_few(rotations[k], points, first, min(LANES, ends[k + 1] - first), tile, back)


@merged
def _turn_few(numbers, points, first, w, tile, back):
    n = points.shape[1]
    for i in range(n):
        for j in range(w):
            put(tile, POINT, i, j, points[first + j, i])
    if not back:
        _flip(numbers, tile, n, w)
    groups = (n + _AT_ONCE - 1) // _AT_ONCE
    for group in range(groups):
        k = _AT_ONCE * (group if back else groups - 1 - group)
        if w == LANES:
            _reflect(numbers, tile, k, n, 0, back)
        else:
            for j in range(w):
                _reflect_lane(numbers, tile, k, n, j, back)
    if back:
        _flip(numbers, tile, n, w)
    for i in range(n):
        for j in range(w):
            points[first + j, i] = get(tile, POINT, i, j)


def _flip(numbers, tile, n, w):
    for i in range(n):
        sign = numbers[n * (n + 1) // 2 + i]
        for j in range(w):
            put(tile, POINT, i, j, sign * get(tile, POINT, i, j))


# -- reflections written out -------------------------------------------------------------


def _reflections(lanes: bool) -> KernelFunction:
    """``reflect(numbers, tile, k, n, j, back)``: H_k and the next, of all lanes or of lane j.

    In that order if *back*, else the last one first. Applied together they subtract multiples
    of each v from x: its v'x less what those applied before took away. Beyond the n-th all v
    are 0.
    """
    each = range(_AT_ONCE)
    pairs = [(a, b) for a in each for b in range(a)]
    place = "[j]" if lanes else ""

    def over(lines: list[str]) -> list[str]:
        return over_lanes(lines, LANES) if lanes else lines

    def less(order: range) -> list[str]:
        taken = [(a, b) for a in order for b in order[: order.index(a)]]
        return over([f"s{a}{place} -= g{max(a, b)}{min(a, b)} * s{b}{place}" for a, b in taken])

    entries = [f"v{a} = numbers[at{a} + i]" for a in each]
    corner = [f"v{a} = numbers[max(at{a} + i, 0)] if i >= k + {a} else 0.0" for a in each]
    products = [f"g{a}{b} += v{a} * v{b}" for a, b in pairs]
    at = f"y = get(tile, {POINT}, i, j)"
    take = [*products, *over([at, *(f"s{a}{place} += v{a} * y" for a in each)])]
    give = over([at, *(f"y -= v{a} * s{a}{place}" for a in each), f"put(tile, {POINT}, i, j, y)"])
    lines = [
        *(f"at{a} = (k + {a}) * n - (k + {a}) * (k + {a} + 1) // 2" for a in each),
        *(f"g{a}{b} = 0.0" for a, b in pairs),
        *(f"s{a} = registers(tile, {LANES})" if lanes else f"s{a} = 0.0" for a in each),
        *(over([f"s{a}[j] = 0.0" for a in each]) if lanes else []),
        f"end = min(k + {_AT_ONCE}, n)",
        *("for i in range(k, end):", *indent([*corner, *take])),
        *("for i in range(end, n):", *indent([*entries, *take])),
        *("if back:", *indent(less(each)), "else:", *indent(less(each[::-1]))),
        *("for i in range(k, end):", *indent([*corner, *give])),
        *("for i in range(end, n):", *indent([*entries, *give])),
    ]
    source = "\n".join(["def reflect(numbers, tile, k, n, j, back):", *indent(lines), ""])
    return from_source("reflect", source, get=get, put=put, registers=registers)


_reflect, _reflect_lane = _reflections(lanes=True), _reflections(lanes=False)
