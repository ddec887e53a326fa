"""Least squares by their normal matrix H, f(x) = f(m) + (x - m)'H(x - m) / 2: over the lanes.

It serves all rows at once, and stands behind them in ``q``: f(m), the numbers of m, and H row
by row.
"""

from __future__ import annotations

from functools import cache as memoise

from fastopt.kernels import rows_dense, rows_sparse
from fastopt.kernels.parts import KernelFunction
from fastopt.kernels.products import product


def scratch_rows(dim: int) -> int:
    """How many rows of scratch the functions need."""
    return 2 * dim


@memoise
def normal_functions(sparse: bool) -> tuple[KernelFunction, KernelFunction, KernelFunction]:
    """Value, gradient and Hessian, for numbers that begin with rows of that kind.

    They go through the lanes in groups of :data:`fastopt.kernels.products.VECTORS`.
    """
    end = (rows_sparse if sparse else rows_dense).end

    def gradient(q, x, g, r, w):
        n = x.shape[0]
        centre = end(q, n) + 1
        for i in range(n):
            middle = q[centre + i]
            for j in range(w):
                r[i, j] = x[i, j] - middle
        product(q, centre + n, r[:n], g, w)

    def value(q, x, f, r, w):
        n = x.shape[0]
        gradient(q, x, r[n : 2 * n], r, w)
        least = q[end(q, n)]
        for j in range(w):
            f[j] = least
        for i in range(n):
            for j in range(w):
                f[j] += 0.5 * r[i, j] * r[n + i, j]

    def hessian(q, x, h, r, w):
        n = x.shape[0]
        first = end(q, n) + 1 + n
        row = 0
        for i in range(n):
            for k in range(i + 1):
                for j in range(w):
                    h[row, j] = q[first + i * n + k]
                row += 1

    return value, gradient, hessian
