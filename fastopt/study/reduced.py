"""What is kept of many runs: exact counts, and the few runs at either end of an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.kernels.reduction import BINS, ORDERS
from fastopt.runs import Status
from fastopt.study.tally import Tally

# Rows of `hits` for each target: those who met it, and the others by status.
HIT_ROWS = 1 + len(Status)
NO_KEY = np.iinfo(np.int64).min
"""The key of nobody."""


@dataclass(frozen=True)
class Shape:
    """What the reduced form of runs holds, the same for all that are to be merged.

    Attributes
    ----------
    max_steps : int
    targets : int
        Number of targets.
    records : int
        Number of recorded steps.
    extremes : int
        How many runs are kept of each order.
    offset : float
        ``fun_min`` of the surface, or 0 where that is unknown.
    """

    max_steps: int
    targets: int
    records: int
    extremes: int
    offset: float

    @property
    def width(self) -> int:
        """Number of possible steps."""
        return self.max_steps + 1


@dataclass(frozen=True)
class Reduced:
    """Runs, reduced; two of them merge to what both together reduce to, bit for bit.

    Attributes
    ----------
    runs : int
        How many.
    ends : Tally
        By status and step: how many runs ended so.
    hits : Tally
        By target and step: how many runs first met it there; in further rows, one for each
        status, how many of the others ended so there.
    values : Tally
        One row, by bin of :mod:`fastopt.study.values`: final values less the offset.
    losses : Tally
        The same of recorded step by recorded step.
    keys, places : numpy.ndarray of int64, shape (ORDERS, <= extremes)
        The runs at the end of each order, and the keys they have in it.
    """

    runs: int
    ends: Tally
    hits: Tally
    values: Tally
    losses: Tally
    keys: NDArray[np.int64]
    places: NDArray[np.int64]

    @classmethod
    def nothing(cls, shape: Shape) -> Reduced:
        """No runs."""
        steps, bins = Tally.empty(shape.width), Tally.empty(BINS)
        none = np.zeros((ORDERS, 0), np.int64)
        return cls(0, steps, steps, bins, bins, none, none)

    @classmethod
    def merged(cls, parts: Sequence[Reduced], shape: Shape) -> Reduced:
        """All of these together; in whatever order they are given."""

        def sums(name: str) -> Tally:
            tallies = [getattr(part, name) for part in parts]
            return Tally.merged(tallies, BINS if name in ("values", "losses") else shape.width)

        keys = np.concatenate([part.keys for part in parts], axis=1)
        places = np.concatenate([part.places for part in parts], axis=1)
        # Descending by key, equal ones ascending by run; without a key they come last.
        order = np.lexsort((places, ~keys), axis=1)[:, : shape.extremes]
        return cls(
            runs=sum(part.runs for part in parts),
            ends=sums("ends"),
            hits=sums("hits"),
            values=sums("values"),
            losses=sums("losses"),
            keys=np.take_along_axis(keys, order, 1),
            places=np.take_along_axis(places, order, 1),
        )

    def order(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Runs and keys of an order, without those that stand for nobody."""
        there = self.keys[number] != NO_KEY
        return self.places[number][there], self.keys[number][there]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All of it as arrays, by name."""
        found: dict[str, NDArray[Any]] = {"runs": np.array([self.runs], np.int64)}
        for name in ("ends", "hits", "values", "losses"):
            tally = getattr(self, name)
            found |= {f"{name}.keys": tally.keys, f"{name}.counts": tally.counts}
        return found | {"keys": self.keys, "places": self.places}

    @classmethod
    def of_arrays(cls, arrays: dict[str, NDArray[Any]], shape: Shape) -> Reduced:
        """The inverse of :meth:`arrays`."""

        def tally(name: str, width: int) -> Tally:
            return Tally(arrays[f"{name}.keys"], arrays[f"{name}.counts"], width)

        ends, hits = tally("ends", shape.width), tally("hits", shape.width)
        values, losses = tally("values", BINS), tally("losses", BINS)
        (runs,) = arrays["runs"].tolist()
        return cls(runs, ends, hits, values, losses, arrays["keys"], arrays["places"])

    def accounts_for(self, runs: int, shape: Shape) -> bool:
        """Whether each of so many runs is counted once in every count that has it."""
        sums = {int(self.ends.counts.sum()), int(self.values.counts.sum()), self.runs}
        each = int(self.hits.counts.sum()), int(self.losses.counts.sum())
        return sums == {runs} and each == (shape.targets * runs, shape.records * runs)
