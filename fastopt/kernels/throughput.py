"""Loops that keep one unit of the processor busy and do nothing else, for ``fastopt bench``.

Each advances some vectors that stay in registers and do not depend on each other, so that with
enough of them no operation waits for the one before; how many are enough, and how many find
room, depends on the processor. All numbers stay finite and of about 1, and none becomes so
round that a divider could end early.
"""

from __future__ import annotations

from functools import cache as memoise

import numba
import numpy as np

from fastopt.kernels.compile import Entry, compile_entry, from_source
from fastopt.kernels.expressions import indent
from fastopt.kernels.packed import (
    WIDTH,
    fma,
    load_lanes,
    plus,
    quotient,
    root,
    spread,
    store_lanes,
)

CHAINS = {
    "multiply_add": ("fma(a, low, high)", "fma(b, low, high)"),
    "add": ("plus(a, low)", "plus(b, high)"),
    "arithmetic": ("fma(a, low, high)", "plus(b, high)"),
    "divide": ("quotient(low, a)", "quotient(high, b)"),
    "root": ("root(plus(a, high))", "root(plus(b, low))"),
    "divide_root": ("quotient(high, plus(root(a), low))", "quotient(high, plus(root(b), high))"),
}
"""What happens to the vectors ``a`` and ``b``: multiply-adds, additions, both in turn, divisions,
square roots, and pairs of a division and a square root, which share a unit on most processors."""

VECTORS = (3, 4, 12)
"""So many of ``a``, and of ``b``, are tried: AVX2 has room for 3 of each, AVX-512 for 12."""


@memoise
def build_chain(name: str, count: int) -> Entry:
    """The compiled loop ``run(numbers, n)``: *n* times, on numbers of shape (2, count * WIDTH)."""
    held = [(f"{kind}{k}", row, k * WIDTH) for row, kind in enumerate("ab") for k in range(count)]
    step = [f"{kind}{k} = {_renamed(name, kind, k)}" for k in range(count) for kind in "ab"]
    lines = [
        "low, high = spread(0.7), spread(1.3)",
        *(f"{vector} = load_lanes(numbers, {row}, {lane})" for vector, row, lane in held),
        "for _ in range(n):",
        *indent(step),
        *(f"store_lanes(numbers, {row}, {lane}, {vector})" for vector, row, lane in held),
    ]
    source = "\n".join(["def run(numbers, n):", *indent(lines), ""])
    operations = {"fma": fma, "plus": plus, "quotient": quotient, "root": root, "spread": spread}
    run = from_source("run", source, load_lanes=load_lanes, store_lanes=store_lanes, **operations)
    numbers = numba.typeof(np.zeros((2, count * WIDTH)))
    signature = numba.types.void(numbers, numba.types.int64)
    label = f"throughput-{name}-{count}-float64"
    return compile_entry(run, "float64", signature, label, from_python=True)


def _renamed(name: str, kind: str, k: int) -> str:
    chain = CHAINS[name]["ab".index(kind)]
    return chain.replace(f"({kind}", f"({kind}{k}").replace(f" {kind})", f" {kind}{k})")


def _triad(a, b, c, first, end):
    for i in range(first, end):
        a[i] = b[i] + 0.7 * c[i]


@memoise
def build_triad() -> Entry:
    """The compiled ``triad(a, b, c, first, end)``: of STREAM, ``a = b + 0.7 * c`` in a part."""
    vector = numba.typeof(np.zeros(0))
    signature = numba.types.void(vector, vector, vector, *[numba.types.int64] * 2)
    return compile_entry(_triad, "float64", signature, "throughput-triad-float64", from_python=True)
