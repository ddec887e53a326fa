"""Finite sums, f(x) = 1/N sum of loss(a_i'x, y_i) + l2/2 ||x||^2: over the lanes of a tile.

All rows of the matrix, or the rows of a mini-batch. The loop over the rows is the outermost one,
four at a time, so that they are read once for all lanes of a tile.
"""

from __future__ import annotations

from functools import cache as memoise
from typing import Any, NamedTuple

from fastopt.kernels import rows_dense, rows_sparse
from fastopt.kernels.minibatch import picked
from fastopt.kernels.parts import KernelFunction, RowParts
from fastopt.kernels.sum_numbers import label, penalty, row_count

SCRATCH = 4
"""Rows of scratch that the functions here need."""


class SumFunctions(NamedTuple):
    """The functions of a surface: all rows at once, and :class:`RowParts`."""

    value: KernelFunction
    gradient: KernelFunction
    hessian: KernelFunction
    rows: RowParts


@memoise
def sum_functions(
    sparse: bool, loss: KernelFunction, slope: KernelFunction, curvature: KernelFunction
) -> SumFunctions:
    """The functions of the sum with this loss of a product and a label, and its derivatives."""
    storage = rows_sparse if sparse else rows_dense
    return SumFunctions(
        value=_value(storage, loss),
        gradient=_gradient(storage, slope),
        hessian=_hessian(storage, curvature),
        rows=RowParts(
            lanes=_chosen_rows(storage, loss, slope),
            own=_own_rows(storage, loss, slope),
            finish=finish_gradient,
            finish_value=finish_value,
            turned=not sparse,
        ),
    )


def finish_gradient(q, x, g, count, w):
    """From the sum over so many rows to their mean, and l2's part."""
    scale, l2 = q.dtype.type(1.0) / q.dtype.type(count), penalty(q)
    for i in range(x.shape[0]):
        for j in range(w):
            g[i, j] = g[i, j] * scale + l2 * x[i, j]


def finish_value(q, x, f, count, w):
    """The same of the value."""
    scale, half = q.dtype.type(1.0) / q.dtype.type(count), 0.5 * penalty(q)
    for j in range(w):
        f[j] = f[j] * scale
    for i in range(x.shape[0]):
        for j in range(w):
            f[j] = f[j] + half * x[i, j] * x[i, j]  # 0 for l2 = 0, however large x is


# -- all rows ----------------------------------------------------------------------------


def _value(storage: Any, loss: KernelFunction) -> KernelFunction:
    lanes_four, lanes_one = storage.lanes_four, storage.lanes_one

    def value(q, x, f, r, w):
        for j in range(w):
            f[j] = 0.0
        count = row_count(q)
        whole = count - count % 4
        for i in range(0, whole, 4):
            lanes_four(q, i, i + 1, i + 2, i + 3, x, r, w)
            for k in range(4):
                y = label(q, i + k)
                for j in range(w):
                    f[j] += loss(r[k, j], y)
        for i in range(whole, count):
            lanes_one(q, i, x, r[0], w)
            y = label(q, i)
            for j in range(w):
                f[j] += loss(r[0, j], y)
        finish_value(q, x, f, count, w)

    return value


def _gradient(storage: Any, slope: KernelFunction) -> KernelFunction:
    lanes_four, lanes_one = storage.lanes_four, storage.lanes_one
    lanes_add_four, lanes_add_one = storage.lanes_add_four, storage.lanes_add_one

    def gradient(q, x, g, r, w):
        for i in range(x.shape[0]):
            for j in range(w):
                g[i, j] = 0.0
        count = row_count(q)
        whole = count - count % 4
        for i in range(0, whole, 4):
            lanes_four(q, i, i + 1, i + 2, i + 3, x, r, w)
            for k in range(4):
                y = label(q, i + k)
                for j in range(w):
                    r[k, j] = slope(r[k, j], y)
            lanes_add_four(q, i, i + 1, i + 2, i + 3, r, g, w)
        for i in range(whole, count):
            lanes_one(q, i, x, r[0], w)
            y = label(q, i)
            for j in range(w):
                r[0, j] = slope(r[0, j], y)
            lanes_add_one(q, i, r[0], g, w)
        finish_gradient(q, x, g, count, w)

    return gradient


def _hessian(storage: Any, curvature: KernelFunction) -> KernelFunction:
    lanes_one, lanes_square = storage.lanes_one, storage.lanes_square

    def hessian(q, x, h, r, w):
        n, count = x.shape[0], row_count(q)
        for row in range(n * (n + 1) // 2):
            for j in range(w):
                h[row, j] = 0.0
        for i in range(count):
            lanes_one(q, i, x, r[0], w)
            y = label(q, i)
            for j in range(w):
                r[0, j] = curvature(r[0, j], y)
            lanes_square(q, i, r[0], h, n, w)
        scale, l2 = q.dtype.type(1.0) / q.dtype.type(count), penalty(q)
        row = 0
        for i in range(n):
            for k in range(i + 1):
                more = l2 if i == k else q.dtype.type(0.0)
                for j in range(w):
                    h[row, j] = h[row, j] * scale + more
                row += 1

    return hessian


# -- some rows ---------------------------------------------------------------------------


def _chosen_rows(storage: Any, loss: KernelFunction, slope: KernelFunction) -> KernelFunction:
    """The function ``lanes`` of :class:`RowParts`."""
    lanes_four, lanes_one = storage.lanes_four, storage.lanes_one
    lanes_add_four, lanes_add_one = storage.lanes_add_four, storage.lanes_add_one

    def slopes(q, i, z, f, w, valued):
        y = label(q, i)
        if valued:
            for j in range(w):
                f[j] += loss(z[j], y)
        for j in range(w):
            z[j] = slope(z[j], y)

    def lanes(q, x, g, f, picks, count, r, w, valued):
        whole = count - count % 4
        for c in range(0, whole, 4):
            a, b = picked(picks, c, 0), picked(picks, c + 1, 0)
            d, e = picked(picks, c + 2, 0), picked(picks, c + 3, 0)
            lanes_four(q, a, b, d, e, x, r, w)
            slopes(q, a, r[0], f, w, valued)
            slopes(q, b, r[1], f, w, valued)
            slopes(q, d, r[2], f, w, valued)
            slopes(q, e, r[3], f, w, valued)
            lanes_add_four(q, a, b, d, e, r, g, w)
        for c in range(whole, count):
            a = picked(picks, c, 0)
            lanes_one(q, a, x, r[0], w)
            slopes(q, a, r[0], f, w, valued)
            lanes_add_one(q, a, r[0], g, w)

    return lanes


def _own_rows(storage: Any, loss: KernelFunction, slope: KernelFunction) -> KernelFunction:
    """The function ``own`` of :class:`RowParts`."""
    own_four, own_one = storage.own_four, storage.own_one
    own_add_four, own_add_one = storage.own_add_four, storage.own_add_one

    def own(q, x, g, picks, count, j):
        sum_of_losses = q.dtype.type(0.0)
        whole = count - count % 4
        for c in range(0, whole, 4):
            a, b = picked(picks, c, j), picked(picks, c + 1, j)
            d, e = picked(picks, c + 2, j), picked(picks, c + 3, j)
            z0, z1, z2, z3 = own_four(q, a, b, d, e, x)
            y0, y1, y2, y3 = label(q, a), label(q, b), label(q, d), label(q, e)
            s0, s1, s2, s3 = slope(z0, y0), slope(z1, y1), slope(z2, y2), slope(z3, y3)
            own_add_four(q, a, b, d, e, s0, s1, s2, s3, g)
            sum_of_losses += loss(z0, y0)
            sum_of_losses += loss(z1, y1)
            sum_of_losses += loss(z2, y2)
            sum_of_losses += loss(z3, y3)
        for c in range(whole, count):
            a = picked(picks, c, j)
            z0, y0 = own_one(q, a, x), label(q, a)
            own_add_one(q, a, slope(z0, y0), g)
            sum_of_losses += loss(z0, y0)
        return sum_of_losses

    return own
