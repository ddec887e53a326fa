"""How pairs of runs from the same starts ended: counts that are exact and can be added."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastopt.checks import Floats
from fastopt.statistics.counts import Integers


@dataclass(frozen=True)
class Joint:
    """Counts of pairs of costs, inf being a failure.

    Steps are whole numbers, so that what the paired tests need of a billion pairs is how
    often each difference was there.

    Attributes
    ----------
    both, only_a, only_b, neither : int
        In how many pairs both, one, or none are finite.
    differences, counts : numpy.ndarray, shape (k,), int64
        Where both are, b - a, ascending, and in how many pairs.
    """

    both: int
    only_a: int
    only_b: int
    neither: int
    differences: Integers
    counts: Integers

    @classmethod
    def of(cls, a: Floats, b: Floats) -> Joint:
        """Of costs (n,) that are whole numbers or inf."""
        good_a, good_b = np.isfinite(a), np.isfinite(b)
        both = good_a & good_b
        differences, counts = np.unique((b[both] - a[both]).astype(np.int64), return_counts=True)
        only_a, only_b = int((good_a & ~good_b).sum()), int((good_b & ~good_a).sum())
        neither = int((~good_a & ~good_b).sum())
        return cls(int(both.sum()), only_a, only_b, neither, differences, counts)

    def __add__(self, other: Joint) -> Joint:
        differences, place = np.unique(
            np.concatenate([self.differences, other.differences]), return_inverse=True
        )
        counts = np.zeros(len(differences), np.int64)
        np.add.at(counts, place, np.concatenate([self.counts, other.counts]))
        return Joint(
            self.both + other.both,
            self.only_a + other.only_a,
            self.only_b + other.only_b,
            self.neither + other.neither,
            differences,
            counts,
        )

    @property
    def first_a(self) -> int:
        """In how many pairs a is the smaller."""
        return self.only_a + int(self.counts[self.differences > 0].sum())

    @property
    def first_b(self) -> int:
        """In how many pairs b is the smaller."""
        return self.only_b + int(self.counts[self.differences < 0].sum())

    @property
    def ties(self) -> int:
        """In how many pairs neither is."""
        return self.neither + int(self.counts[self.differences == 0].sum())

    def by_size(self) -> tuple[Integers, Integers]:
        """For each size of a difference, ascending, how often b was larger, and how often a.

        The largest is that of a failure and a success.
        """
        sizes, place = np.unique(np.abs(self.differences), return_inverse=True)
        larger, smaller = np.zeros((2, len(sizes) + 1), np.int64)
        up, down = self.differences > 0, self.differences < 0
        np.add.at(larger, place[up], self.counts[up])
        np.add.at(smaller, place[down], self.counts[down])
        larger[-1], smaller[-1] = self.only_a, self.only_b
        used = larger + smaller > 0
        return larger[used], smaller[used]
