"""Mini-batches: which rows a run draws in a step, and the gradient that they give.

The rows of a run depend on the seed, its index in the batch and the step alone; nothing is
kept from step to step. Step t takes the draws t B to t B + B - 1 of all that the run makes.

* With replacement each draw is independent: the words of a Philox counter (run, t, m) are two
  numbers u of 64 bits, for draws 2 m and 2 m + 1 of the step, and the row is u N >> 64.
* Without, draw D is place D mod N of epoch D // N, whose order is a random permutation. It is
  computed place by place: a generalised Feistel network on pairs (l, h), l < a, h < b, that
  stand for the number l + a h, with a b hardly more than N; a result of N or more is sent
  through again, which comes to an end and leaves a permutation of the numbers below N. Each
  round adds to one half of the pair a random function of the other and of the round's key,
  and the keys are the words of Philox counters (run, epoch, m). Black and Rogaway (2002) [1]_;
  Mitchell et al. (2022) [2]_ shuffle by it on GPUs.

.. [1] J. Black, P. Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002.
.. [2] R. Mitchell, D. Stokes, E. Frank, G. Holmes, "Bandwidth-optimal random shuffling for
   GPUs", ACM Transactions on Parallel Computing 9(1), 2022, arXiv:2106.06161.
"""

from __future__ import annotations

import math
from functools import cache as memoise

from fastopt.kernels.intrinsics import shift_right
from fastopt.kernels.parts import KernelFunction, RowParts
from fastopt.kernels.philox import holder, words
from fastopt.kernels.randomness import BATCH, counted
from fastopt.kernels.sum_numbers import whole

_LOW = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)

# Rows are drawn, and their gradients added, so many at a time.
_PIECE = 16
# Rounds of the network: of few rows more, for each round then has few functions to choose from
# (6 rows, 12 rounds: orders are off by 2.3% in total variation; 24 rounds: by 0.04%).
_ROUNDS, _MOST_ROUNDS, _FEW = 12, 24, 256
# Rows of scratch of the drawing: picks, keys, and one more.
_USED = _PIECE + _MOST_ROUNDS + 1


def network(rows: int) -> tuple[int, int, int]:
    """The ends a and b of the halves, and the number of rounds, to permute so many rows."""
    across = math.isqrt(rows - 1) + 1
    return across, -(-rows // across), _MOST_ROUNDS if rows < _FEW else _ROUNDS


def scratch_rows(rows: RowParts, dim: int, shared: bool) -> int:
    """How many rows of scratch :func:`sampler`'s function needs."""
    if shared:
        return _USED + 2 + 4
    return _USED + (2 * dim if rows.turned else 0)


def picked(picks, c, j):
    """The number of the row that is pick *c* of lane *j*."""
    return words(picks[c, j])[0]


@memoise
def sampler(rows: RowParts, replace: bool, shared: bool, valued: bool) -> KernelFunction:
    """``sample`` of :class:`fastopt.kernels.parts.NoiseParts`; with the value if *valued*."""
    add = _add_shared(rows, valued) if shared else _add_own(rows, valued)
    finish, finish_value = rows.finish, rows.finish_value

    def sample(q, n, x, g, f, r, run, t, keys, w):
        batch, count = whole(n[0], n[1]), whole(n[2], n[3])
        picks, ciphers, room = r[:_PIECE], r[_PIECE : _USED - 1], r[_USED:]
        lanes = w
        if shared:  # the path of run 0, worked out in lane 0
            run, lanes = room[4:6], 1
            run[0, 0] = run[1, 0] = 0.0
        begin(x, g, f, room, w)
        epoch, at = t // count * batch + t % count * batch // count, t % count * batch % count
        done = 0
        while done < batch:
            piece = min(_PIECE, batch - done)
            if replace:
                pick_any(picks, run, t, done // 2, piece, count, keys, lanes)
            else:
                if at == count:
                    epoch, at = epoch + 1, 0
                if done == 0 or at == 0:
                    set_keys(ciphers, n, run, epoch, keys, lanes)
                piece = min(piece, count - at)
                pick_next(picks, ciphers, r[_USED - 1], n, at, piece, count, lanes)
                at += piece
            add(q, x, g, f, picks, piece, room, w)
            done += piece
        end(g, room, w)
        finish(q, x, g, batch, w)
        if valued:
            finish_value(q, x, f, batch, w)

    turned = rows.turned and not shared
    begin, end = (_begin_turned, _end_turned) if turned else (_begin, _end)
    return sample


# -- which rows --------------------------------------------------------------------------


def pick_any(picks, run, t, first, piece, count, keys, w):
    """Independent draws, two from each counter, of which the step's *first* comes first."""
    for m in range((piece + 1) // 2):
        for j in range(w):
            a, b, c, d = counted(run[0, j], run[1, j], t, first + m + BATCH, keys)
            picks[2 * m, j] = holder(shift_right(b * count + shift_right(a * count, 32), 32))
            picks[2 * m + 1, j] = holder(shift_right(d * count + shift_right(c * count, 32), 32))


def set_keys(ciphers, n, run, epoch, keys, w):
    """The keys of an epoch's rounds."""
    for m in range(int(n[6]) // 4):
        for j in range(w):
            a, b, c, d = counted(run[0, j], run[1, j], epoch, m + BATCH, keys)
            ciphers[4 * m, j] = holder(a)
            ciphers[4 * m + 1, j] = holder(b)
            ciphers[4 * m + 2, j] = holder(c)
            ciphers[4 * m + 3, j] = holder(d)


def pick_next(picks, ciphers, room, n, at, piece, count, w):
    """Places *at* and the following ones of an epoch; *room* is a row of scratch."""
    across, down, rounds = int(n[4]), int(n[5]), int(n[6])
    for c in range(piece):
        begun = (at + c) % across | (at + c) // across << 16
        for j in range(w):
            picks[c, j] = holder(begun)
        largest, again = count, False
        while largest >= count:
            for j in range(w):
                room[j] = picks[c, j]
            for k in range(0, rounds, 2):
                for j in range(w):
                    first, second = words(ciphers[k, j])[0], words(ciphers[k + 1, j])[0]
                    room[j] = holder(two_rounds(words(room[j])[0], first, second, across, down))
            largest = 0
            for j in range(w):
                old, new = words(picks[c, j])[0], words(room[j])[0]
                kept = old if again and number_of(old, across) < count else new
                picks[c, j] = holder(kept)
                largest = max(largest, number_of(kept, across))
            again = True
        for j in range(w):
            picks[c, j] = holder(number_of(words(picks[c, j])[0], across))


def number_of(pair, across):
    """The number that a pair stands for: its halves share one word."""
    return shift_right(pair, 16) * across + (pair & 0xFFFF)


def two_rounds(pair, first, second, across, down):
    """Each half of a pair moved on by a function of the other and of a key."""
    low, high = pair & 0xFFFF, shift_right(pair, 16)
    low += below(across, high, first)
    low = low - across if low >= across else low
    high += below(down, low, second)
    high = high - down if high >= down else high
    return low | high << 16


def below(limit, value, key):
    """A random number below *limit*: a function of a value and a key."""
    product = (value ^ key) * _MULTIPLIERS[0]
    product = ((shift_right(product, 32) ^ product) & _LOW) * _MULTIPLIERS[1]
    return shift_right(((shift_right(product, 32) ^ product) & _LOW) * limit, 32)


# -- their gradients ---------------------------------------------------------------------


def _add_shared(rows: RowParts, valued: bool) -> KernelFunction:
    lanes = rows.lanes

    def add(q, x, g, f, picks, count, r, w):
        lanes(q, x, g, f, picks, count, r, w, valued)

    return add


def _begin(x, g, f, r, w):
    for i in range(x.shape[0]):
        for j in range(w):
            g[i, j] = 0.0
    for j in range(w):
        f[j] = 0.0


def _end(g, r, w):
    pass


# Where the rows differ from lane to lane, each lane adds its own. If they are *turned*, the
# points and gradients of the lanes are turned into contiguous vectors, dim numbers for each
# lane, so that products run along the rows; otherwise a lane's point stays a column.


def _add_own(rows: RowParts, valued: bool) -> KernelFunction:
    own = rows.own

    def add_turned(q, x, g, f, picks, count, r, w):
        n, size = x.shape[0], x.shape[0] * r.shape[1]
        points, slopes = r[:n].reshape((size,)), r[n : 2 * n].reshape((size,))
        for j in range(w):
            point, slope = points[j * n : (j + 1) * n], slopes[j * n : (j + 1) * n]
            level = own(q, point, slope, picks, count, j)
            if valued:
                f[j] += level

    def add_columns(q, x, g, f, picks, count, r, w):
        for j in range(w):
            level = own(q, x[:, j], g[:, j], picks, count, j)
            if valued:
                f[j] += level

    return add_turned if rows.turned else add_columns


def _begin_turned(x, g, f, r, w):
    n, size = x.shape[0], x.shape[0] * r.shape[1]
    points, slopes = r[:n].reshape((size,)), r[n : 2 * n].reshape((size,))
    for j in range(w):
        for i in range(n):
            points[j * n + i] = x[i, j]
            slopes[j * n + i] = 0.0
    for j in range(w):
        f[j] = 0.0


def _end_turned(g, r, w):
    n = g.shape[0]
    slopes = r[n : 2 * n].reshape((n * r.shape[1],))
    for j in range(w):
        for i in range(n):
            g[i, j] = slopes[j * n + i]
