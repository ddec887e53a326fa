"""Products of matrices with the points of a tile, at the rate of the multiply-adds.

Each sum runs over the columns in ascending order, one multiply-add after the other, from 0:
whatever the processor, and whichever of the functions makes it, it has the same bits. (BLAS
promises neither; on the machine that this was measured on it is no faster: 53 GFLOP/s a core at
96 and 39 at 288 coordinates, where :data:`product` makes 53 and 50.)
"""

from __future__ import annotations

from collections.abc import Callable

from numba.core import config
from numba.core.codegen import get_host_cpu_features

from fastopt.kernels.compile import ByDtype, from_source
from fastopt.kernels.expressions import indent, over_lanes
from fastopt.kernels.lanes import SURFACE, get, put, registers
from fastopt.kernels.parts import KernelFunction
from fastopt.kernels.tile import WIDEST

VECTORS = 2
"""The lanes of a group that a product is made for, in the widest vectors.

LLVM would write out a loop over 16 lanes before it is vectorised, and then does not vectorise
it: 8 GFLOP/s.
"""


def _registers() -> int:
    """The vector registers of the processor that is compiled for."""
    chosen = vars(config)["CPU_FEATURES"]
    features = get_host_cpu_features() if chosen is None else chosen
    return 32 if "+avx512f" in features.split(",") else 16


# So many rows at a time share each load of a coordinate. More would need more registers than
# there are, for a row takes 4 of AVX-512's 32 and 8 of AVX2's 16. In 100 coordinates four rows
# are a sixth faster than two.
_ROWS = _registers() // 8
_OWN_ROWS = 2


def _rows(count: int, lanes: int) -> list[str]:
    """Rows i to i + count - 1 of the product, for the group of lanes from *first* on."""
    rows = range(count)
    add = [f"y = get(x, {SURFACE}, k, first + j)", *(f"s{a}[j] += e{a} * y" for a in rows)]
    store = [f"put(out, {SURFACE + 1}, i + {a}, first + j, s{a}[j])" for a in rows]
    return [
        *over_lanes([f"s{a}[j] = 0.0" for a in rows], lanes),
        "for k in range(n):",
        *indent([f"e{a} = q[at + (i + {a}) * n + k]" for a in rows]),
        *indent(over_lanes(add, lanes)),
        *over_lanes(store, lanes),
    ]


def _by_dtype(
    name: str,
    arguments: str,
    rows: Callable[[int, int], list[str]],
    most: int,
    registers_: str,
) -> ByDtype:
    """The function that makes *most* rows at a time, a power of two, and of the rest fewer."""

    def implementation(dtype: str) -> KernelFunction:
        lanes = VECTORS * WIDEST[dtype]
        held = [f"{kind}{a}" for kind in registers_ for a in range(most)]
        loops = [most]
        while loops[-1] > 1:
            loops.append(loops[-1] // 2)
        lines = [
            "n = x.shape[0]",
            *(f"{name} = registers(x, {lanes})" for name in held),
            f"for first in range(0, w, {lanes}):",
            "    done = 0",
        ]
        for count in loops:
            lines += [
                f"    for i in range(done, n - {count - 1}, {count}):",
                *indent(indent(rows(count, lanes))),
                f"    done = n // {count} * {count}",
            ]
        source = "\n".join([f"def {name}({arguments}):", *indent(lines), ""])
        return from_source(name, source, get=get, put=put, registers=registers)

    return ByDtype(name, implementation("float64"), implementation("float32"))


product = _by_dtype("product", "q, at, x, out, w", _rows, _ROWS, "s")
product.__doc__ = """``product(q, at, x, out, w)``: to the rows of *out* the square matrix times x.

Its entries, row by row, are the numbers of *q* from *at* on; *x* and *out*, of shape (dim, lanes),
share no row. The lanes of the last group are all made.
"""


def _own_rows(count: int, lanes: int) -> list[str]:
    """Rows i to i + count - 1 of the triangle; both places of each entry."""
    rows = range(count)
    begin = [f"t{a}[j] = get(x, {SURFACE}, i + {a}, first + j)" for a in rows]
    begin += [f"s{a}[j] = 0.0" for a in rows]
    left = [f"y, z = get(x, {SURFACE}, k, first + j), get(out, {SURFACE + 1}, k, first + j)"]
    for a in rows:
        left += [f"e = get(q, {SURFACE + 2}, row{a} + k, first + j)"]
        left += [f"s{a}[j] += e * y", f"z += e * t{a}[j]"]
    left += [f"put(out, {SURFACE + 1}, k, first + j, z)"]
    corner = []
    for a in rows:
        for b in range(a + 1):
            corner += [f"e = get(q, {SURFACE + 2}, row{a} + i + {b}, first + j)"]
            corner += [f"s{a}[j] += e * t{b}[j]", *([f"s{b}[j] += e * t{a}[j]"] if b < a else [])]
    store = [f"put(out, {SURFACE + 1}, i + {a}, first + j, s{a}[j])" for a in rows]
    return [
        *(f"row{a} = (i + {a}) * (i + {a} + 1) // 2" for a in rows),
        *over_lanes(begin, lanes),
        "for k in range(i):",
        *indent(over_lanes(left, lanes)),
        *over_lanes([*corner, *store], lanes),
    ]


own_product = _by_dtype("own_product", "q, x, out, w", _own_rows, _OWN_ROWS, "st")
own_product.__doc__ = """``own_product(q, x, out, w)``: the same with a symmetric matrix a lane.

The rows of *q* are the entries of the lower triangle, row by row.
"""
