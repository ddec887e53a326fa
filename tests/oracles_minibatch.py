"""The rows of mini-batches, worked out one by one from the scheme that the kernels document.

Python's own whole numbers of any size, one run and one place at a time; nothing of the package.
"""

from __future__ import annotations

import math

from test_philox import philox

STREAM = 2 << 30
LOW = 2**32 - 1


def words(seed, run, time, draw):
    """The four words of a Philox counter of the stream of mini-batches."""
    counter = (
        run & LOW,
        run >> 32 | (time >> 32) << 16,
        time & LOW,
        draw + STREAM,
    )
    return philox(counter, (seed & LOW, seed >> 32))


def with_replacement(seed, run, step, batch_size, rows):
    """The rows of one step, each drawn independently."""
    picks = []
    for draw in range((batch_size + 1) // 2):
        a, b, c, d = words(seed, run, step, draw)
        picks += [(b << 32 | a) * rows >> 64, (d << 32 | c) * rows >> 64]
    return picks[:batch_size]


def round_function(value, key, limit):
    """Two foldings of products of 64 bits, scaled to [0, limit)."""
    word = value ^ key
    for multiplier in (0xD2511F53, 0xCD9E8D57):
        product = word * multiplier
        word = (product >> 32) ^ (product & LOW)
    return word * limit >> 32


class Order:
    """The order of the rows in one epoch of one run."""

    def __init__(self, seed, run, epoch, rows):
        self.rows = rows
        self.ends = (math.isqrt(rows - 1) + 1, -(-rows // (math.isqrt(rows - 1) + 1)))
        rounds = 24 if rows < 256 else 12
        self.keys = [key for m in range(rounds // 4) for key in words(seed, run, epoch, m)]

    def __getitem__(self, place):
        while True:
            halves = [place % self.ends[0], place // self.ends[0]]
            for k, key in enumerate(self.keys):
                own, other = k % 2, 1 - k % 2
                moved = halves[own] + round_function(halves[other], key, self.ends[own])
                halves[own] = moved % self.ends[own]
            place = halves[0] + halves[1] * self.ends[0]
            if place < self.rows:
                return place


def without_replacement(seed, run, step, batch_size, rows):
    """The rows of one step: the next places of the epoch, and of the one after it."""
    orders = {}
    picks = []
    for draw in range(step * batch_size, (step + 1) * batch_size):
        epoch, place = divmod(draw, rows)
        if epoch not in orders:
            orders[epoch] = Order(seed, run, epoch, rows)
        picks.append(orders[epoch][place])
    return picks
