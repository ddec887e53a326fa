"""The shares of the basins, of a map or of a cloud of starts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastopt import memory
from fastopt.basins.attractors import DIVERGED, UNRESOLVED, Attractors, pieces
from fastopt.basins.estimate import checked_confidence, wilson
from fastopt.basins.fidelity import Fidelity, compare
from fastopt.basins.running import Settings, Sweep, as_starts, check_rule, spacing_of
from fastopt.rules import Rule
from fastopt.starts import Starts
from fastopt.stopping import Stop
from fastopt.surfaces import Surface

_MOST_SHOWN = 12


@dataclass(frozen=True, repr=False, eq=False)
class Fractions:
    """The shares of the basins, with Wilson's intervals.

    It is a sequence of the shares, and an array to NumPy. Every array is to be indexed by label:
    first the k attractors, then unresolved and diverged, which stand at the end: ``value[-1]`` is
    the share that diverged, ``value[-2]`` of those that ended nowhere. They add up to 1.

    Attributes
    ----------
    counts : numpy.ndarray of int64, shape (k + 2,)
        How many starts.
    value, low, high : numpy.ndarray, shape (k + 2,)
        Their share, and the interval that holds the share of all possible starts with this
        confidence, if these were drawn at random. (Those of a map are not: its intervals are
        too wide rather than too narrow.)
    confidence : float
    found : Attractors
    """

    counts: NDArray[np.int64]
    value: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    confidence: float
    found: Attractors

    def __len__(self) -> int:
        return len(self.value)

    def __getitem__(self, label: Any) -> Any:
        return self.value[label]

    def __iter__(self) -> Iterator[float]:
        return iter(self.value.tolist())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.array(self.value, dtype, copy=copy)

    @property
    def attractors(self) -> NDArray[np.float64]:
        """One point of each attractor, (k, dim)."""
        return self.found.points

    def names(self) -> list[str]:
        """Each share's attractor in words, then ``unresolved`` and ``diverged``."""
        return [*self.found.names(), "unresolved", "diverged"]

    def __repr__(self) -> str:
        total = int(self.counts.sum())
        lines = [f"{'':>3}  {'':38}{'share':>9}{f'{self.confidence:.0%} interval':>21}"]
        names, shown = self.names(), range(len(self.found))
        for k in (*shown[:_MOST_SHOWN], UNRESOLVED, DIVERGED):
            name = names[k]
            interval = f"{self.low[k]:.3%} to {self.high[k]:.3%}"
            lines.append(f"{k:3}  {name:38}{self.value[k]:9.3%}{interval:>21}")
            if k == _MOST_SHOWN - 1 and len(shown) > _MOST_SHOWN:
                rest = self.value[_MOST_SHOWN : len(shown)].sum()
                others = f"{len(shown) - _MOST_SHOWN:,} more"
                lines.append(f"     {others:38}{rest:9.3%}")
        return "\n".join([f"basins of {total:,} starts", *lines])


@dataclass(frozen=True, repr=False, eq=False)
class CloudFractions(Fractions):
    """The shares of the basins of a cloud of starts, and what came of each start.

    Attributes
    ----------
    labels : numpy.ndarray of int32, shape (n,)
        Where each start's run ended, as in :class:`fastopt.BasinMap`.
    steps : numpy.ndarray of int32 or int64, shape (n,)
        After how many steps.
    tolerance : float
        Ends within this of each other are one attractor.
    run_seconds : float
        Wall time of the runs.
    """

    labels: NDArray[np.int32]
    steps: NDArray[Any]
    tolerance: float
    run_seconds: float

    def fidelity(self, reference: CloudFractions) -> Fidelity:
        """The share of starts that end where those of *reference* do, e.g. of gradient flow.

        Raises
        ------
        ValueError
            The reference has another number of starts.
        """
        if len(self.labels) != len(reference.labels):
            raise ValueError(
                f"reference: is of {len(reference.labels):,} starts: must be of the same "
                f"{len(self.labels):,} (fidelity)"
            )
        return compare(
            self.labels,
            self.found,
            reference.labels,
            reference.found,
            max(self.tolerance, reference.tolerance),
            self.confidence,
        )


def count(labels: NDArray[np.int32], found: Attractors, confidence: float) -> dict[str, Any]:
    """What :class:`Fractions` holds, of these labels."""
    confidence = checked_confidence(confidence)
    k = len(found)
    counts = np.zeros(k + 2, np.int64)
    for some in pieces(labels):  # NumPy makes an int64 of each
        counts += np.bincount(some - UNRESOLVED, minlength=k + 2)
    counts = np.roll(counts, UNRESOLVED)
    low, high = wilson(counts, labels.size, confidence)
    value = counts / max(labels.size, 1)
    return {
        "counts": counts,
        "value": value,
        "low": low,
        "high": high,
        "confidence": confidence,
        "found": found,
    }


def basin_fractions(
    rule: Rule,
    surface: Surface,
    starts: ArrayLike | Starts,
    *,
    max_steps: int = 10_000,
    stop: Stop = Stop(gradient=1e-8),  # noqa: B008 (immutable)
    tolerance: float | None = None,
    longest_cycle: int = 64,
    confidence: float = 0.95,
    dtype: DTypeLike = "float64",
    threads: int | None = None,
    progress: bool = False,
) -> CloudFractions:
    """The share of a cloud of starts that ends at each attractor, in any number of coordinates.

    Parameters
    ----------
    rule, surface, max_steps, stop, tolerance, longest_cycle, dtype, threads, progress
        As for :func:`fastopt.basin_map`.
    starts : array_like, shape (..., dim), or Starts
        E.g. ``fo.starts.Uniform(*surface.bounds.T, n=10**7)``. Of each only a label and the
        number of steps is kept: 8 bytes.
    confidence : float, default 0.95
        Of the intervals.

    Returns
    -------
    CloudFractions

    Raises
    ------
    TypeError, ValueError, MemoryError
        As :func:`fastopt.basin_map`.

    Examples
    --------
    >>> import fastopt as fo
    >>> surface = fo.Himmelblau()
    >>> starts = fo.starts.Uniform(*surface.bounds.T, n=10_000)
    >>> shares = fo.basin_fractions(fo.GradientDescent(0.01), surface, starts)
    >>> shares.value.round(2)
    array([0.26, 0.27, 0.24, 0.24, 0.  , 0.  ])
    """
    settings = Settings(max_steps, stop, tolerance, longest_cycle, dtype, threads, progress)
    check_rule(rule, surface, "basin_fractions")
    checked_confidence(confidence)
    make, n = as_starts(starts, surface)
    if n == 0:
        raise ValueError("starts: must be at least one (basin_fractions)")
    memory.require(n * settings.bytes_of_start, f"the labels of {n:,} starts", "give fewer starts")
    census = settings.census(surface, spacing_of(starts, n, surface))
    labels, steps = np.empty(n, np.int32), np.empty(n, settings.step_type)
    sweep = Sweep(rule, surface, settings)
    for place, runs, entries in sweep.parts(make, n, 1, census):
        labels[place], steps[place] = entries, runs.steps
    grouped = census.group()
    grouped.label(labels)
    return CloudFractions(
        **count(labels, grouped.attractors, confidence),
        labels=labels,
        steps=steps,
        tolerance=census.tolerance,
        run_seconds=sweep.seconds,
    )
