"""How many runs ended at which step: all that a statistic of hitting times needs."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import whole
from fastopt.runs import Runs, Status
from fastopt.statistics.text import plural

Integers: TypeAlias = NDArray[np.int64]

_KINDS = ("converged", "diverged", "censored", "stopped")


@dataclass(frozen=True, eq=False, repr=False)
class Counts:
    """The numbers of runs that ended at each step, by how they ended.

    Steps are whole numbers, so these counts are an exact summary of any number of runs. They
    are whole numbers too: sums of counts are exact, in whatever order they are merged.

    Parameters
    ----------
    steps : array_like of int, shape (k,)
        Distinct steps, ascending, >= 0.
    converged, diverged, censored : array_like of int, shape (k,)
        How many runs converged there; diverged there; or ran out of steps there, so that
        nobody knows whether they would have converged later.
    stopped : array_like of int, shape (k,), optional
        Of the counts for a target: how many met the criterion of ``stop=`` there without ever
        having reached the target. By default none.

    Raises
    ------
    TypeError, ValueError
        The arrays are not whole numbers, not of one length, negative, or not ascending.

    Examples
    --------
    >>> import fastopt as fo
    >>> one = fo.statistics.Counts([3, 5, 9], [2, 1, 0], [0, 1, 0], [0, 0, 1])
    >>> one + one
    Counts of 10 runs: 6 converged, 2 diverged, 2 censored, at 3 distinct steps
    >>> fo.statistics.Counts.from_steps(converged=[3, 5, 3], diverged=[5], censored=[9]) == one
    True
    """

    steps: Integers
    converged: Integers
    diverged: Integers
    censored: Integers
    stopped: Integers

    def __init__(
        self,
        steps: ArrayLike,
        converged: ArrayLike,
        diverged: ArrayLike,
        censored: ArrayLike,
        stopped: ArrayLike | None = None,
    ):
        given = {"steps": steps, "converged": converged, "diverged": diverged, "censored": censored}
        arrays = {name: _whole_numbers(name, value) for name, value in given.items()}
        arrays["stopped"] = (
            np.zeros_like(arrays["steps"])
            if stopped is None
            else _whole_numbers("stopped", stopped)
        )
        for name, array in arrays.items():
            shape = (arrays["steps"].size,)
            if array.shape != shape:
                raise ValueError(
                    f"{name} has shape {array.shape}: must be {shape}, one for each step (Counts)"
                )
        if (np.diff(arrays["steps"]) <= 0).any():
            raise ValueError(
                "steps are not ascending: each must be there once, in order; "
                "Counts.from_steps takes them in any order (Counts)"
            )
        # Without empty rows, so that equal counts have equal arrays.
        kept = sum(arrays[kind] for kind in _KINDS) > 0
        for name, array in arrays.items():
            # A copy, which nobody else can change.
            array = array[kept]
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def from_steps(
        cls,
        converged: ArrayLike = (),
        diverged: ArrayLike = (),
        censored: ArrayLike = (),
        stopped: ArrayLike = (),
    ) -> Counts:
        """Count runs by the steps at which they ended, in any order.

        Parameters
        ----------
        converged, diverged, censored, stopped : array_like of int, any shape
            The last step of each run that ended so.
        """
        ends = dict(zip(_KINDS, (converged, diverged, censored, stopped), strict=True))
        pairs = {kind: _tally(_whole_numbers(kind, value).ravel()) for kind, value in ends.items()}
        steps = np.unique(np.concatenate([at for at, _ in pairs.values()]))
        counts = {kind: np.zeros(steps.size, np.int64) for kind in _KINDS}
        for kind, (at, count) in pairs.items():
            counts[kind][np.searchsorted(steps, at)] = count
        return cls(steps, **counts)

    @classmethod
    def of(cls, runs: Runs, target: int | None = None) -> Counts:
        """Count the runs of a batch.

        Parameters
        ----------
        runs : Runs
            Of :func:`fastopt.run`.
        target : int, optional
            The index of one of ``runs.targets``: a run has then converged at the first step at
            which it reached that target. By default what counts is ``stop=``.

        Raises
        ------
        ValueError
            There is no such target.
        """
        reached, at = hitting_steps(runs, target)
        ended = {status: runs.steps[~reached & (runs.status == status)] for status in Status}
        return cls.from_steps(
            converged=at[reached],
            diverged=ended[Status.DIVERGED],
            censored=ended[Status.MAX_STEPS],
            stopped=ended[Status.CONVERGED],
        )

    @classmethod
    def merge(cls, parts: Iterable[Counts]) -> Counts:
        """The counts of all runs of *parts* together; the order makes no difference."""
        parts = list(parts)
        every = [np.concatenate([getattr(part, kind) for part in parts] or [[]]) for kind in _KINDS]
        steps = np.concatenate([part.steps for part in parts] or [np.zeros(0, np.int64)])
        distinct, place = np.unique(steps, return_inverse=True)
        sums = np.zeros((len(_KINDS), distinct.size), np.int64)
        for total, counts in zip(sums, every, strict=True):
            np.add.at(total, place, counts.astype(np.int64))
        return cls(distinct, *sums)

    def __add__(self, other: Counts) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts.merge([self, other])

    def __radd__(self, other: int) -> Counts:
        """So that ``sum(parts)``, which begins with 0, merges them."""
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Counts):
            return NotImplemented
        return all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in ("steps", *_KINDS)
        )

    __hash__ = None  # type: ignore[assignment]

    @functools.cached_property
    def runs(self) -> int:
        """The number of runs."""
        return sum(int(getattr(self, kind).sum()) for kind in _KINDS)

    @functools.cached_property
    def successes(self) -> int:
        """The number of runs that converged."""
        return int(self.converged.sum())

    @functools.cached_property
    def total_steps(self) -> int:
        """The number of steps that all runs took together."""
        count = self.converged + self.diverged + self.censored + self.stopped
        # In two halves, for a product of 10^12 steps and 10^9 runs is beyond an int64.
        high, low = divmod(self.steps, 1 << 20)
        return (int(high @ count) << 20) + int(low @ count)

    @functools.cached_property
    def budget(self) -> int | None:
        """The last step at which a run ran out of steps, None if none did."""
        censored = np.flatnonzero(self.censored)
        return int(self.steps[censored[-1]]) if censored.size else None

    def __repr__(self) -> str:
        ends = [f"{int(getattr(self, kind).sum()):,} {kind}" for kind in _KINDS[:3]]
        if self.stopped.any():
            ends.append(f"{int(self.stopped.sum()):,} stopped")
        return (
            f"Counts of {plural(self.runs, 'run')}: {', '.join(ends)}, "
            f"at {plural(self.steps.size, 'distinct step')}"
        )


def hitting_steps(runs: Runs, target: int | None = None) -> tuple[NDArray[np.bool_], Integers]:
    """Which runs converged, or reached a target; and, for those, at which step."""
    if target is None:
        return runs.success, runs.steps
    if runs.targets is None or runs.target_steps is None:
        raise ValueError(
            f"target={target!r}: these runs have no targets; run them with "
            "fo.run(..., targets=[...])"
        )
    place = whole("fo.statistics", "target", target, 0, len(runs.targets) - 1)
    steps = runs.target_steps[..., place]
    return steps >= 0, steps


def _tally(steps: Integers) -> tuple[Integers, Integers]:
    """The distinct steps, ascending, and how often each is there."""
    if not steps.size or steps.max() > 4 * steps.size:
        return np.unique(steps, return_counts=True)
    # 20 times as fast as sorting.
    counts = np.bincount(steps)
    distinct = np.flatnonzero(counts)
    return distinct, counts[distinct]


def _whole_numbers(name: str, value: ArrayLike) -> Integers:
    array = np.asarray(value)
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"{name} has dtype {array.dtype}: must be whole numbers (Counts)")
    if array.size and array.min() < 0:
        raise ValueError(f"{name} holds {array.min()}: must be >= 0 (Counts)")
    return array.astype(np.int64)
