"""The sum of surfaces."""

from __future__ import annotations

from functools import cache as memoise
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.kernels.expressions import as_tuple
from fastopt.kernels.parts import KernelFunction, SurfaceParts
from fastopt.kernels.tile_functions import tile_functions
from fastopt.surfaces.base import Surface
from fastopt.surfaces.composed_layers import define, shortened

# Numbers come in q as floats, and float32 holds whole ones up to 2**24: longer ones in two.
_HALF = 1 << 20


class Sum(Surface):
    """The sum of surfaces of as many coordinates, which ``a + b`` makes.

    .. math:: f(x) = f_1(x) + f_2(x) + \\ldots

    Its ``bounds`` are what the terms' bounds have in common (all that they span, if that is
    nothing). Known ``minima`` are the points that are global minima of every term;
    ``local_minima`` those that are global or local ones of every term. It is ``convex`` or
    ``separable`` if every term is. Its ``strong_convexity`` and ``lipschitz`` are the sums of
    the terms' where that is exact: where all terms are strongly convex, and at most one has not
    the same curvature in all directions. Otherwise they are left at 0 and inf.

    Parameters
    ----------
    *surfaces : Surface
        Two or more.

    Raises
    ------
    ValueError
        There are fewer than two, they have not all as many coordinates, or one is boxed: box
        the sum instead.

    Examples
    --------
    >>> import fastopt as fo
    >>> tilted = fo.Rastrigin(2) + fo.Sphere(2).scaled(value=10.0)
    >>> tilted.value([1.0, 0.0]), tilted.fun_min
    (11.0, 0.0)
    """

    def __init__(self, *surfaces: Surface):
        self.surfaces = _terms(surfaces)
        first = self.surfaces[0]
        self.name = "_plus_".join(term.name for term in self.surfaces)
        bounds = _common_bounds(self.surfaces)
        minima = _common([term.minima for term in self.surfaces])
        flat = _common([np.concatenate([t.minima, t.local_minima]) for t in self.surfaces])
        super().__init__(
            first.dim,
            bounds,
            minima,
            sum(term.fun_min for term in self.surfaces) if len(minima) else float("nan"),
            np.clip(first.usual_start, *bounds.T),
            [point for point in flat if not (minima == point).all(1).any()],
        )
        self.convex = all(term.convex for term in self.surfaces)
        self.separable = all(term.separable for term in self.surfaces)
        self.unbounded = any(term.unbounded for term in self.surfaces)
        self.kinks = "; ".join(dict.fromkeys(t.kinks for t in self.surfaces if t.kinks))
        curved = [t for t in self.surfaces if t.strong_convexity != t.lipschitz]
        if len(curved) <= 1 and all(term.strong_convexity for term in curved):
            self.strong_convexity = sum(term.strong_convexity for term in self.surfaces)
            self.lipschitz = sum(term.lipschitz for term in self.surfaces)

    @property
    def numbers(self) -> NDArray[np.float64]:
        """Of each term four that say where its part of q and of the scratch is; then theirs."""
        own = [term.numbers for term in self.surfaces]
        parts = [term.parts() for term in self.surfaces]
        heads = [
            [*divmod(len(numbers), _HALF), part.scratch, part.scratch_for(hessian=True)]
            for numbers, part in zip(own, parts, strict=True)
        ]
        return np.concatenate([np.ravel(np.array(heads, np.float64)), *own])

    def parts(self) -> SurfaceParts:
        return _summed(tuple(term.parts() for term in self.surfaces), self.dim)

    def __repr__(self) -> str:
        return f"({' + '.join(map(repr, self.surfaces))})"


def _terms(surfaces: tuple[Surface, ...]) -> tuple[Surface, ...]:
    for surface in surfaces:
        if not isinstance(surface, Surface):
            raise TypeError(f"{surface!r}: must be a surface (Sum)")
        if surface.box is not None:
            raise ValueError(f"{surface!r} is boxed: box the sum instead, (a + b).boxed(...)")
    if len(surfaces) < 2:
        raise ValueError(f"{len(surfaces)} surfaces: a sum needs two or more (Sum)")
    if len({surface.dim for surface in surfaces}) > 1:
        found = ", ".join(f"{surface!r} has {surface.dim}" for surface in surfaces)
        raise ValueError(f"{found} coordinates: all must have as many (Sum)")
    inner = [s.surfaces if isinstance(s, Sum) else (s,) for s in surfaces]
    return tuple(term for terms in inner for term in terms)


def _common_bounds(surfaces: tuple[Surface, ...]) -> NDArray[np.float64]:
    ends = np.stack([surface.bounds for surface in surfaces])
    common = np.stack([ends[..., 0].max(0), ends[..., 1].min(0)], axis=1)
    if (common[:, 0] < common[:, 1]).all():
        return common
    return np.stack([ends[..., 0].min(0), ends[..., 1].max(0)], axis=1)


def _common(points: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """The points (k, dim) of the first that are in all the others too."""
    shared = points[0]
    for others in points[1:]:
        shared = shared[(shared[:, None] == others).all(-1).any(-1)]
    return shared


@memoise
def _summed(terms: tuple[SurfaceParts, ...], dim: int) -> SurfaceParts:
    fused = all(term.fused for term in terms)
    value, gradient = _point_functions(terms) if fused else _tile_functions(terms)
    # No two terms share rows: the kernels are told which of a term's own rows are disjoint.
    scratch = 0 if fused else dim + sum(term.scratch for term in terms)
    with_hessian = all(term.hessian for term in terms)
    hessian_rows = sum(t.scratch_for(hessian=True) for t in terms) + dim * (dim + 1) // 2
    sources = [source for term in terms for source in term.sources]
    return SurfaceParts(
        label=shortened("-plus-".join(term.label for term in terms)),
        source=tuple(dict.fromkeys(sources)),
        value=value,
        gradient=gradient,
        dim=dim if fused else 0,
        hessian=_hessian_function(terms) if with_hessian else None,
        parameters=sum(4 + term.parameters for term in terms) if fused else 0,
        scratch=scratch,
        hessian_scratch=hessian_rows if with_hessian else 0,
        vectors=max(term.vectors for term in terms),
    )


def _point_functions(terms: tuple[SurfaceParts, ...]) -> tuple[KernelFunction, KernelFunction]:
    dim, count = terms[0].dim, len(terms)
    ends = [*accumulate((term.parameters for term in terms), initial=4 * count)]
    calls = [
        f"inner{k}({as_tuple(f'q[{place}]' for place in range(ends[k], ends[k + 1]))}, x)"
        for k in range(count)
    ]
    slopes = as_tuple(" + ".join(f"g{k}[{i}]" for k in range(count)) for i in range(dim))
    gradient = [*(f"g{k} = {call}" for k, call in enumerate(calls)), f"return {slopes}"]
    values = {f"inner{k}": term.value for k, term in enumerate(terms)}
    gradients = {f"inner{k}": term.gradient for k, term in enumerate(terms)}
    return (
        define("value", "q, x", [f"return {' + '.join(calls)}"], **values),
        define("gradient", "q, x", gradient, **gradients),
    )


def _tile_functions(terms: tuple[SurfaceParts, ...]) -> tuple[KernelFunction, KernelFunction]:
    functions = [tile_functions(term) for term in terms]

    def lines(out: str, other: str, add: list[str]) -> list[str]:
        body = ["n = x.shape[0]", f"at, row = {4 * len(terms)}, n"]
        for k in range(len(terms)):
            body += [
                f"end, below = {_end(k)}, row + int(q[{4 * k + 2}])",
                f"inner{k}(q[at:end], x, {other if k else out}, r[row:below], w)",
                "at, row = end, below",
                *(add if k else []),
            ]
        return body

    def inner(kind: str) -> dict[str, Any]:
        return {f"inner{k}": function[kind] for k, function in enumerate(functions)}

    one = ["for j in range(w):", "    f[j] += r[0, j]"]
    each = ["for i in range(n):", "    for j in range(w):", "        g[i, j] += r[i, j]"]
    return (
        define("value", "q, x, f, r, w", lines("f", "r[0]", one), **inner("value")),
        define("gradient", "q, x, g, r, w", lines("g", "r[:n]", each), **inner("gradient")),
    )


def _end(k: int) -> str:
    return f"at + int(q[{4 * k}]) * {_HALF} + int(q[{4 * k + 1}])"


def _hessian_function(terms: tuple[SurfaceParts, ...]) -> KernelFunction:
    """Each term has rows beyond those of value and gradient, and the last are a triangle."""
    body = [
        "n = x.shape[0]",
        "count = n * (n + 1) // 2",
        "spare = r.shape[0] - count",
        f"at, row = {4 * len(terms)}, spare",
        *(f"row -= int(q[{4 * k + 3}])" for k in range(len(terms))),
    ]
    add = ["for i in range(count):", "    for j in range(w):", "        h[i, j] += r[spare + i, j]"]
    for k in range(len(terms)):
        body += [
            f"end, below = {_end(k)}, row + int(q[{4 * k + 3}])",
            f"inner{k}(q[at:end], x, {'r[spare:]' if k else 'h'}, r[row:below], w)",
            "at, row = end, below",
            *(add if k else []),
        ]
    inner: dict[str, Any] = {f"inner{k}": term.hessian for k, term in enumerate(terms)}
    return define("hessian", "q, x, h, r, w", body, **inner)
