"""The rows of a dense matrix, in the numbers of a finite sum: products with them, four at once.

Four rows share each load of a coordinate and each load and store of a result, so that the time
goes into multiply-adds. A row *i* begins at ``place(q, i, n)``.
"""

from __future__ import annotations

from fastopt.kernels.packed import (
    WIDTH,
    add_product,
    load,
    load_lanes,
    spread,
    store,
    store_lanes,
    total,
)
from fastopt.kernels.sum_numbers import first_row, row_count


def place(q, i, n):
    """Where row *i* begins."""
    return first_row(q) + i * n


def end(q, n):
    """The first number after the rows."""
    return place(q, row_count(q), n)


# -- over the lanes ----------------------------------------------------------------------


def lanes_four(q, i, j, k, m, x, z, w):
    """The products of four rows with the point of each lane, to four rows z."""
    n = x.shape[0]
    times_four(q, place(q, i, n), place(q, j, n), place(q, k, n), place(q, m, n), x, z, w)


def times_four(q, a, b, c, d, x, z, w):
    """The same of rows that begin at these places."""
    for first in range(0, w, WIDTH):
        p = spread(q.dtype.type(0.0))
        r = s = t = p
        for i in range(x.shape[0]):
            v = load_lanes(x, i, first)
            p = add_product(spread(q[a + i]), v, p)
            r = add_product(spread(q[b + i]), v, r)
            s = add_product(spread(q[c + i]), v, s)
            t = add_product(spread(q[d + i]), v, t)
        store_lanes(z, 0, first, p)
        store_lanes(z, 1, first, r)
        store_lanes(z, 2, first, s)
        store_lanes(z, 3, first, t)


def lanes_one(q, i, x, z, w):
    """The products of one row with the point of each lane, to the vector z."""
    times_one(q, place(q, i, x.shape[0]), x, z, w)


def times_one(q, a, x, z, w):
    """The same of a row that begins at this place."""
    for first in range(0, w, WIDTH):
        p = spread(q.dtype.type(0.0))
        for i in range(x.shape[0]):
            p = add_product(spread(q[a + i]), load_lanes(x, i, first), p)
        store(z, first, p)


def lanes_add_four(q, i, j, k, m, z, g, w):
    """Add to g in each lane four rows, each times its number in z."""
    n = g.shape[0]
    a, b, c, d = place(q, i, n), place(q, j, n), place(q, k, n), place(q, m, n)
    for first in range(0, w, WIDTH):
        p, r = load_lanes(z, 0, first), load_lanes(z, 1, first)
        s, t = load_lanes(z, 2, first), load_lanes(z, 3, first)
        for e in range(n):
            v = add_product(spread(q[a + e]), p, load_lanes(g, e, first))
            v = add_product(spread(q[b + e]), r, v)
            v = add_product(spread(q[c + e]), s, v)
            store_lanes(g, e, first, add_product(spread(q[d + e]), t, v))


def lanes_add_one(q, i, z, g, w):
    """Add to g in each lane one row times its number in the vector z."""
    a = place(q, i, g.shape[0])
    for first in range(0, w, WIDTH):
        p = load(z, first)
        for e in range(g.shape[0]):
            store_lanes(g, e, first, add_product(spread(q[a + e]), p, load_lanes(g, e, first)))


def lanes_square(q, i, z, h, n, w):
    """Add to a lower triangle the row's outer product with itself, times its number in z."""
    a = place(q, i, n)
    for first in range(0, w, WIDTH):
        p = load(z, first)
        row = 0
        for k in range(n):
            for m in range(k + 1):
                product = spread(q[a + k] * q[a + m])
                store_lanes(h, row, first, add_product(product, p, load_lanes(h, row, first)))
                row += 1


# -- one lane ----------------------------------------------------------------------------
#
# Rows that differ from lane to lane are not gathered across the lanes: the point of a lane is
# a contiguous vector here. A product is summed in one fixed order: eight sums, of the terms
# whose place leaves 0 to 7 when divided by eight, which are added by halves (see
# `packed.total`), and then the few terms at the end that fill no vector, one by one.


def own_four(q, i, j, k, m, x):
    """The products of four rows with a point."""
    n = x.shape[0]
    a, b, c, d = place(q, i, n), place(q, j, n), place(q, k, n), place(q, m, n)
    p = spread(q.dtype.type(0.0))
    r = s = t = p
    whole = n - n % WIDTH
    for e in range(0, whole, WIDTH):
        v = load(x, e)
        p = add_product(load(q, a + e), v, p)
        r = add_product(load(q, b + e), v, r)
        s = add_product(load(q, c + e), v, s)
        t = add_product(load(q, d + e), v, t)
    first, second, third, fourth = total(p), total(r), total(s), total(t)
    for e in range(whole, n):
        first += q[a + e] * x[e]
        second += q[b + e] * x[e]
        third += q[c + e] * x[e]
        fourth += q[d + e] * x[e]
    return first, second, third, fourth


def own_one(q, i, x):
    """The product of one row with a point."""
    n = x.shape[0]
    a = place(q, i, n)
    p = spread(q.dtype.type(0.0))
    whole = n - n % WIDTH
    for e in range(0, whole, WIDTH):
        p = add_product(load(q, a + e), load(x, e), p)
    first = total(p)
    for e in range(whole, n):
        first += q[a + e] * x[e]
    return first


def own_add_four(q, i, j, k, m, p, r, s, t, g):
    """Add to a vector four rows, each times a number."""
    n = g.shape[0]
    a, b, c, d = place(q, i, n), place(q, j, n), place(q, k, n), place(q, m, n)
    whole = n - n % WIDTH
    for e in range(0, whole, WIDTH):
        v = add_product(load(q, a + e), spread(p), load(g, e))
        v = add_product(load(q, b + e), spread(r), v)
        v = add_product(load(q, c + e), spread(s), v)
        store(g, e, add_product(load(q, d + e), spread(t), v))
    for e in range(whole, n):
        v = g[e] + q[a + e] * p
        v = v + q[b + e] * r
        v = v + q[c + e] * s
        g[e] = v + q[d + e] * t


def own_add_one(q, i, p, g):
    """Add to a vector one row times a number."""
    n = g.shape[0]
    a = place(q, i, n)
    whole = n - n % WIDTH
    for e in range(0, whole, WIDTH):
        store(g, e, add_product(load(q, a + e), spread(p), load(g, e)))
    for e in range(whole, n):
        g[e] += q[a + e] * p
