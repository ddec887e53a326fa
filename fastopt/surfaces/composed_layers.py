"""Kernel functions of composed surfaces, made from those of the surfaces that they are of.

A composed surface is a *layer* around another: its points are mapped to that one's, whose
value and gradient are then changed. Its numbers come first in ``q``, the inner surface's
behind them. A layer around a fused surface is fused again, around a staged one staged.

Rows are read and written by plain indices, not by :mod:`fastopt.kernels.lanes`: the inner
surface has tags of its own for the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache as memoise
from typing import Any, NamedTuple

from fastopt.kernels.compile import from_source
from fastopt.kernels.expressions import as_tuple, indent
from fastopt.kernels.parts import KernelFunction, SurfaceParts

# Of a label, which is part of a file's name.
_LONGEST_LABEL = 80


def none(n):
    return 0


class Layer(NamedTuple):
    """What a layer does, as kernel functions and as source; what is left out does nothing.

    ``size(n)``, ``rows(n)``, ``spare(n)``
        How many numbers and scratch rows it has in *n* coordinates, and how many scratch rows
        more for a Hessian.
    ``apply(q, x, z, w)``
        The points of the inner surface, to the first n of its scratch rows.
    ``level(q, x, f, r, w)``
        Changes the values in f.
    ``pull(q, g, r, w)``
        Turns the gradient by the inner surface's coordinates into that by its own.
    ``bend(q, h, s, n, w)``
        The same for the Hessian, with its spare rows s.
    ``point(i, n)``, ``value(n)``, ``slope(i, n)``
        The same for a fused surface, as source: the inner coordinate i by x, the value by the
        inner one f, the derivative i by the inner ones g. They may use the *names*.
    """

    word: str
    size: KernelFunction
    rows: KernelFunction = none
    spare: KernelFunction = none
    apply: KernelFunction | None = None
    level: KernelFunction | None = None
    pull: KernelFunction | None = None
    bend: KernelFunction | None = None
    point: Callable[[int, int], str] = lambda i, n: f"x[{i}]"
    value: Callable[[int], str] = lambda n: "f"
    slope: Callable[[int, int], str] = lambda i, n: f"g[{i}]"
    names: Mapping[str, Any] = {}
    boxed: bool = False

    def __hash__(self) -> int:
        return id(self)  # there is one of each kind

    def __eq__(self, other: object) -> bool:
        return self is other


@memoise
def layered(inner: SurfaceParts, layer: Layer, dim: int) -> SurfaceParts:
    """What the kernels compile of *layer* around *inner*, in *dim* coordinates."""
    assert not inner.boxed, "a box is the outermost layer"
    own = layer.rows(dim)
    fused = inner.fused
    value, gradient = _point_functions(inner, layer) if fused else _tile_functions(inner, layer)
    # Around a fused surface only the Hessian needs rows.
    scratch = 0 if fused else own + inner.scratch
    total = own + inner.scratch + inner.hessian_scratch + layer.spare(dim)
    return SurfaceParts(
        label=shortened(f"{inner.label}-{layer.word}"),
        source=inner.source,
        value=value,
        gradient=gradient,
        dim=dim if fused else 0,
        hessian=inner.hessian and _hessian_function(inner, layer),
        parameters=layer.size(dim) + inner.parameters if fused else 0,
        scratch=scratch,
        hessian_scratch=total - scratch,
        vectors=inner.vectors,
        boxed=layer.boxed,
    )


def shortened(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 4]}-etc"


def _point_functions(inner: SurfaceParts, layer: Layer) -> tuple[KernelFunction, KernelFunction]:
    dim, own = inner.dim, layer.size(inner.dim)
    numbers = as_tuple(f"q[{own + k}]" for k in range(inner.parameters))
    call = f"inner({numbers}, {as_tuple(layer.point(i, dim) for i in range(dim))})"
    slopes = as_tuple(layer.slope(i, dim) for i in range(dim))
    value = [f"f = {call}", f"return {layer.value(dim)}"]
    gradient = [f"g = {call}", f"return {slopes}"]
    return (
        define("value", "q, x", value, inner=inner.value, **layer.names),
        define("gradient", "q, x", gradient, inner=inner.gradient),
    )


def _tile_functions(inner: SurfaceParts, layer: Layer) -> tuple[KernelFunction, KernelFunction]:
    call = "inner(q[size(n) :], z, {}, r[rows(n) :], w)"
    level = ["level(q, x, f, r, w)"] if layer.level else []
    pull = ["pull(q, g, r, w)"] if layer.pull else []
    value = [*_mapped(layer), call.format("f"), *level]
    gradient = [*_mapped(layer), call.format("g"), *pull]
    names = _functions(layer)
    return (
        define("value", "q, x, f, r, w", value, inner=inner.value, **names),
        define("gradient", "q, x, g, r, w", gradient, inner=inner.gradient, **names),
    )


def _hessian_function(inner: SurfaceParts, layer: Layer) -> KernelFunction:
    lines = [
        *_mapped(layer),
        "s = r.shape[0] - spare(n)",
        "inner(q[size(n) :], z, h, r[rows(n) : s], w)",
        *(["bend(q, h, r[s:], n, w)"] if layer.bend else []),
    ]
    names = _functions(layer)
    return define("hessian", "q, x, h, r, w", lines, inner=inner.hessian, **names)


def _mapped(layer: Layer) -> list[str]:
    if layer.apply is None:
        return ["n, z = x.shape[0], x"]
    return ["n = x.shape[0]", "z = r[:n]", "apply(q, x, z, w)"]


def _functions(layer: Layer) -> dict[str, Any]:
    kinds = ("size", "rows", "spare", "apply", "level", "pull", "bend")
    return {kind: getattr(layer, kind) for kind in kinds if getattr(layer, kind)}


def define(name: str, arguments: str, lines: list[str], **names: Any) -> KernelFunction:
    """The function of that source, in which *names* are known."""
    source = "\n".join([f"def {name}({arguments}):", *indent(lines), ""])
    return from_source(name, source, **names)
