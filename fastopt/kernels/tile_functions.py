"""A surface's functions over a tile, also where they were given for a point."""

from __future__ import annotations

from functools import cache as memoise

from fastopt.kernels.compile import from_source
from fastopt.kernels.expressions import as_tuple
from fastopt.kernels.parts import KernelFunction, SurfaceParts
from fastopt.kernels.rows import get_rows, put_rows


@memoise
def tile_functions(surface: SurfaceParts) -> dict[str, KernelFunction]:
    """``value(q, x, f, r, w)``, ``gradient(q, x, g, r, w)`` and, if there is one, ``hessian``."""
    functions = {"value": surface.value, "gradient": surface.gradient}
    if surface.fused:
        size = (surface.dim, surface.parameters, surface.own > 0)
        functions = {
            "value": over_lanes("value", "f", surface.value, *size),
            "gradient": over_lanes("gradient", "g", surface.gradient, *size),
        }
    if surface.hessian is not None:
        functions["hessian"] = surface.hessian
    return functions


@memoise
def over_lanes(
    name: str, out: str, function: KernelFunction, dim: int, parameters: int, own: bool = False
) -> KernelFunction:
    """``name(q, x, out, r, w)``: to the rows of *out* what ``function(q, x)`` gives of a point.

    *out* is f for a value, one row; *dim* and *parameters* are the lengths of the tuples x and q.
    """
    numbers = as_tuple(f"q[{i}, j]" if own else f"q[{i}]" for i in range(parameters))
    found = f"at_point({numbers if own else 'p'}, get_rows(x, {dim}, j))"
    lines = [
        f"def {name}(q, x, {out}, r, w):",
        *([] if own else [f"    p = {numbers}"]),
        "    for j in range(w):",
        f"        f[j] = {found}" if out == "f" else f"        put_rows({out}, 0, j, {found})",
    ]
    access = {"get_rows": get_rows, "put_rows": put_rows}
    return from_source(name, "\n".join(lines) + "\n", at_point=function, **access)
