"""The rows of a sparse matrix, in the numbers of a finite sum; they are never filled up.

Compressed rows: where each begins, counted in entries, as lower digits of all rows and then
higher ones; then the entries, each its column and its value, by ascending column in a row.
The functions are those of :mod:`fastopt.kernels.rows_dense`; the terms of a product are added
one by one.
"""

from __future__ import annotations

from fastopt.kernels.packed import WIDTH, add_product, load, load_lanes, spread, store, store_lanes
from fastopt.kernels.sum_numbers import first_row, row_count, whole


def place(q, i):
    """Where the entries of row *i* begin, and those of the row before end."""
    count, first = row_count(q), first_row(q)
    entry = whole(q[first + i], q[first + count + 1 + i])
    return first + 2 * (count + 1) + 2 * entry


def end(q, n):
    """The first number after the rows."""
    return place(q, row_count(q))


# -- over the lanes ----------------------------------------------------------------------


def lanes_four(q, i, j, k, m, x, z, w):
    """The products of four rows with the point of each lane, to four rows z."""
    lanes_one(q, i, x, z[0], w)
    lanes_one(q, j, x, z[1], w)
    lanes_one(q, k, x, z[2], w)
    lanes_one(q, m, x, z[3], w)


def lanes_one(q, i, x, z, w):
    """The products of one row with the point of each lane, to the vector z."""
    a, b = place(q, i), place(q, i + 1)
    for first in range(0, w, WIDTH):
        p = spread(q.dtype.type(0.0))
        for e in range(a, b, 2):
            p = add_product(spread(q[e + 1]), load_lanes(x, int(q[e]), first), p)
        store(z, first, p)


def lanes_add_four(q, i, j, k, m, z, g, w):
    """Add to g in each lane four rows, each times its number in z."""
    lanes_add_one(q, i, z[0], g, w)
    lanes_add_one(q, j, z[1], g, w)
    lanes_add_one(q, k, z[2], g, w)
    lanes_add_one(q, m, z[3], g, w)


def lanes_add_one(q, i, z, g, w):
    """Add to g in each lane one row times its number in the vector z."""
    a, b = place(q, i), place(q, i + 1)
    for first in range(0, w, WIDTH):
        p = load(z, first)
        for e in range(a, b, 2):
            column = int(q[e])
            v = add_product(spread(q[e + 1]), p, load_lanes(g, column, first))
            store_lanes(g, column, first, v)


def lanes_square(q, i, z, h, n, w):
    """Add to a lower triangle the row's outer product with itself, times its number in z."""
    a, b = place(q, i), place(q, i + 1)
    for first in range(0, w, WIDTH):
        p = load(z, first)
        for e in range(a, b, 2):
            column = int(q[e])
            for f in range(a, e + 2, 2):
                row = column * (column + 1) // 2 + int(q[f])
                product = spread(q[e + 1] * q[f + 1])
                store_lanes(h, row, first, add_product(product, p, load_lanes(h, row, first)))


# -- one lane ----------------------------------------------------------------------------


def own_four(q, i, j, k, m, x):
    """The products of four rows with a point."""
    return own_one(q, i, x), own_one(q, j, x), own_one(q, k, x), own_one(q, m, x)


def own_one(q, i, x):
    """The product of one row with a point."""
    p = q.dtype.type(0.0)
    for e in range(place(q, i), place(q, i + 1), 2):
        p += q[e + 1] * x[int(q[e])]
    return p


def own_add_four(q, i, j, k, m, p, r, s, t, g):
    """Add to a vector four rows, each times a number."""
    own_add_one(q, i, p, g)
    own_add_one(q, j, r, g)
    own_add_one(q, k, s, g)
    own_add_one(q, m, t, g)


def own_add_one(q, i, p, g):
    """Add to a vector one row times a number."""
    for e in range(place(q, i), place(q, i + 1), 2):
        g[int(q[e])] += q[e + 1] * p
