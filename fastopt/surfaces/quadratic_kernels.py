"""The kernel functions of quadratics: with a matrix or eigenvalues, shared or of each run.

All functions of a kind make the same operations in the same order: a run has the same bits
whether it shares its matrix with others or has one of its own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache as memoise

from fastopt.kernels.compile import from_source
from fastopt.kernels.parts import SurfaceParts
from fastopt.kernels.products import VECTORS, own_product, product
from fastopt.surfaces.base import MOST_FUSED

# With half as many lanes in a group, gradient descent is five times slower: LLVM writes out so
# short a loop before it would vectorise it.
_EIGEN_VECTORS = 4


def is_fused(dim: int) -> bool:
    """Whether points of so many coordinates are written out."""
    return dim <= MOST_FUSED


@memoise
def matrix_parts(dim: int, own: bool) -> SurfaceParts:
    """A dense matrix A and the minimum m: for all runs, or for each its *own*.

    q holds m last, and before it A: row by row if it is shared, else its lower triangle, and
    that also where points are written out.
    """
    count = dim * (dim + 1) // 2 + dim
    label = "own_quadratic" if own else "quadratic"
    if is_fused(dim):
        value, gradient = _fused_functions(dim)
        hessian = _own_triangle if own else _shared_triangle
        parts = SurfaceParts(label, matrix_parts, value, gradient, dim, hessian, parameters=count)
    else:
        value, gradient = (_own_value, _own_gradient) if own else (_value, _gradient)
        hessian = _own_triangle if own else _hessian
        parts = SurfaceParts(label, matrix_parts, value, gradient, 0, hessian, scratch=2 * dim)
        parts = replace(parts, vectors=VECTORS)
    return replace(parts, own=count if own else 0)


@memoise
def eigen_parts(dim: int, own: bool) -> SurfaceParts:
    """Eigenvalues, then the minimum, both in the eigenbasis."""
    if own:
        functions = (_own_eigen_value, _own_eigen_gradient, _own_eigen_hessian)
    else:
        functions = (_eigen_value, _eigen_gradient, _eigen_hessian)
    value, gradient, hessian = functions
    label = "own_eigenvalues" if own else "eigenvalues"
    parts = SurfaceParts(label, eigen_parts, value, gradient, dim=0, hessian=hessian)
    parts = replace(parts, slope=_slope, slope_numbers=2, vectors=_EIGEN_VECTORS)
    return replace(parts, own=2 * dim if own else 0)


# -- a matrix, for few coordinates -------------------------------------------------------


@memoise
def _fused_functions(dim):
    """``value(q, x)`` and ``gradient(q, x)``, written out for *dim* coordinates."""
    triangle = dim * (dim + 1) // 2

    def entry(i, k):
        return f"q[{max(i, k) * (max(i, k) + 1) // 2 + min(i, k)}]"

    away = [f"(x[{i}] - q[{triangle + i}])" for i in range(dim)]
    rows = [" + ".join(f"{entry(i, k)} * {away[k]}" for k in range(dim)) for i in range(dim)]
    value = " + ".join(f"{away[i]} * ({rows[i]})" for i in range(dim))
    return (
        from_source("value", f"def value(q, x):\n    return 0.5 * ({value})\n"),
        from_source("gradient", f"def gradient(q, x):\n    return ({', '.join(rows)},)\n"),
    )


def _shared_triangle(q, x, h, r, w):
    for row in range(h.shape[0]):
        for j in range(w):
            h[row, j] = q[row]


def _own_triangle(q, x, h, r, w):
    for row in range(h.shape[0]):
        for j in range(w):
            h[row, j] = q[row, j]


# -- a matrix, for any number of coordinates ---------------------------------------------


def _gradient(q, x, g, r, w):
    n = x.shape[0]
    for i in range(n):
        centre = q[n * n + i]
        for j in range(w):
            r[i, j] = x[i, j] - centre
    product(q, 0, r[:n], g, w)


def _value(q, x, f, r, w):
    n = x.shape[0]
    _gradient(q, x, r[n : 2 * n], r, w)
    _half_product(r[:n], r[n : 2 * n], f, w)


def _own_gradient(q, x, g, r, w):
    n = x.shape[0]
    centre = n * (n + 1) // 2
    for i in range(n):
        for j in range(w):
            r[i, j] = x[i, j] - q[centre + i, j]
    own_product(q, r[:n], g, w)


def _own_value(q, x, f, r, w):
    n = x.shape[0]
    _own_gradient(q, x, r[n : 2 * n], r, w)
    _half_product(r[:n], r[n : 2 * n], f, w)


def _half_product(away, slope, f, w):
    for j in range(w):
        f[j] = 0.0
    for i in range(away.shape[0]):
        for j in range(w):
            f[j] += 0.5 * away[i, j] * slope[i, j]


def _hessian(q, x, h, r, w):
    n = x.shape[0]
    row = 0
    for i in range(n):
        for k in range(i + 1):
            for j in range(w):
                h[row, j] = q[i * n + k]
            row += 1


# -- eigenvalues -------------------------------------------------------------------------


def _slope(a, x):
    curvature, centre = a
    return curvature * (x - centre)


def _eigen_gradient(q, x, g, r, w):
    n = x.shape[0]
    for i in range(n):
        a = q[i], q[n + i]
        for j in range(w):
            g[i, j] = _slope(a, x[i, j])


def _eigen_value(q, x, f, r, w):
    n = x.shape[0]
    for j in range(w):
        f[j] = 0.0
    for i in range(n):
        curvature, centre = q[i], q[n + i]
        for j in range(w):
            f[j] += 0.5 * (x[i, j] - centre) * (curvature * (x[i, j] - centre))


def _eigen_hessian(q, x, h, r, w):
    row = 0
    for i in range(x.shape[0]):
        for k in range(i + 1):
            for j in range(w):
                h[row, j] = q[i] if k == i else 0.0
            row += 1


def _own_eigen_gradient(q, x, g, r, w):
    n = x.shape[0]
    for i in range(n):
        for j in range(w):
            g[i, j] = _slope((q[i, j], q[n + i, j]), x[i, j])


def _own_eigen_value(q, x, f, r, w):
    n = x.shape[0]
    for j in range(w):
        f[j] = 0.0
    for i in range(n):
        for j in range(w):
            away = x[i, j] - q[n + i, j]
            f[j] += 0.5 * away * (q[i, j] * away)


def _own_eigen_hessian(q, x, h, r, w):
    row = 0
    for i in range(x.shape[0]):
        for k in range(i + 1):
            for j in range(w):
                h[row, j] = q[i, j] if k == i else 0.0
            row += 1
