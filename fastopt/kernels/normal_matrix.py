"""Least squares by their normal matrix H, f(x) = f(m) + (x - m)'H(x - m) / 2: over the lanes.

It serves all rows at once, and stands behind them in ``q``: f(m), the numbers of m, and H row
by row.
"""

from __future__ import annotations

from functools import cache as memoise

from fastopt.kernels import rows_dense, rows_sparse
from fastopt.kernels.parts import KernelFunction

_FOUR = 4


def scratch_rows(dim: int) -> int:
    """How many rows of scratch the functions need."""
    return dim + _FOUR


@memoise
def normal_functions(sparse: bool) -> tuple[KernelFunction, KernelFunction, KernelFunction]:
    """Value, gradient and Hessian, for numbers that begin with rows of that kind."""
    end = (rows_sparse if sparse else rows_dense).end
    times_four, times_one = rows_dense.times_four, rows_dense.times_one

    def value(q, x, f, r, w):
        n = x.shape[0]
        least = end(q, n)
        first, away, room = least + 1 + n, r[:n], r[n:]
        _subtract(q, least + 1, x, away, w)
        for j in range(w):
            f[j] = q[least]
        whole = n - n % 4
        for i in range(0, whole, 4):
            a = first + i * n
            times_four(q, a, a + n, a + 2 * n, a + 3 * n, away, room, w)
            for k in range(4):
                for j in range(w):
                    f[j] += 0.5 * away[i + k, j] * room[k, j]
        for i in range(whole, n):
            times_one(q, first + i * n, away, room[0], w)
            for j in range(w):
                f[j] += 0.5 * away[i, j] * room[0, j]

    def gradient(q, x, g, r, w):
        n = x.shape[0]
        centre = end(q, n) + 1
        first, away = centre + n, r[:n]
        _subtract(q, centre, x, away, w)
        whole = n - n % 4
        for i in range(0, whole, 4):
            a = first + i * n
            times_four(q, a, a + n, a + 2 * n, a + 3 * n, away, g[i : i + 4], w)
        for i in range(whole, n):
            times_one(q, first + i * n, away, g[i], w)

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


def _subtract(q, centre, x, away, w):
    for i in range(x.shape[0]):
        middle = q[centre + i]
        for j in range(w):
            away[i, j] = x[i, j] - middle
