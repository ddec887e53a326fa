"""A batch of runs as the engine reads it: starts and parameters, piece by piece."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.ensembles import Objective
from fastopt.part import Part
from fastopt.rules import Rule
from fastopt.starts import Starts

Shape: TypeAlias = tuple[int, ...]
Indices: TypeAlias = NDArray[np.int64]


class Batch:
    """Starts and per-run parameters, broadcast against each other.

    Nothing is copied as a whole: a lazy batch of a billion starts, or a plane of parameters,
    exists only for the runs that are being advanced.

    An ensemble puts its count in front of the shape. Starts or parameters of two or more axes,
    of which the first is as long as the ensemble, are then one piece for each member; all
    others are for every member.
    """

    def __init__(self, rule: Rule, surface: Objective, starts: ArrayLike | Starts):
        if isinstance(starts, Starts):
            self._starts: Any = starts
            shape = (*starts.shape, starts.dim)
        else:
            self._starts = _as_points(starts)
            shape = self._starts.shape
        if not shape or shape[-1] != surface.dim:
            raise ValueError(
                f"starts has shape {shape}: the last axis must be {surface.dim} long, the "
                f"number of coordinates of {surface!r}"
            )
        self._count = surface.count
        each = _broadcast(rule, self._of_member(shape[:-1]), self._of_member)
        self.shape = each if self._count is None else (self._count, *each)
        self.size = math.prod(self.shape)
        self.each = math.prod(each)  # runs of a member
        self.numbers = tuple(self._aligned(number, len(each)) for number in rule.numbers)
        self.per_run = any(isinstance(number, np.ndarray) for number in self.numbers)
        self._start_shape = self._aligned_shape(shape[:-1], len(each))
        self._spread = self.shape != self._start_shape
        if isinstance(self._starts, Part) and self._spread:
            raise ValueError(
                f"{self._starts!r}: a part of a batch must have the batch's shape {self.shape}; "
                "give the rule parameters of one value"
            )
        if isinstance(self._starts, np.ndarray):
            shape = self._start_shape if self._spread else (self.size,)
            self._starts = self._starts.reshape(*shape, surface.dim)

    def numbers_of(self, a: int, b: int) -> NDArray[np.int64]:
        """The indices that the random numbers of the runs a to b - 1 depend on."""
        return self.indices_of(np.arange(a, b))

    def indices_of(self, runs: Indices) -> Indices:
        """The same of any runs."""
        return self._starts.indices_of(runs) if isinstance(self._starts, Part) else runs

    def starts(self, a: int, b: int) -> NDArray[Any]:
        """Starts of the runs a to b - 1, shape (b - a, dim)."""
        if self._spread:
            return self.starts_of(np.arange(a, b))
        if isinstance(self._starts, np.ndarray):
            return self._starts[a:b]
        return self._starts.chunk(a, b)

    def starts_of(self, runs: Indices) -> NDArray[Any]:
        """Starts of these runs, shape (n, dim)."""
        places = np.unravel_index(runs, self.shape)
        lead = len(self.shape) - len(self._start_shape)
        own = tuple(
            place if length > 1 else np.zeros_like(place)
            for place, length in zip(places[lead:], self._start_shape, strict=True)
        )
        if not isinstance(self._starts, np.ndarray):
            return self._lazy_chunks(np.ravel_multi_index(own, self._start_shape))
        if not self._spread:
            return self._starts[runs]
        return self._starts[own] if own else self._starts[None].repeat(len(runs), 0)

    def _lazy_chunks(self, numbers: Indices) -> NDArray[Any]:
        """Lazy starts by number, a chunk for each stretch of successive (or equal) numbers."""
        steps = np.diff(numbers)
        cuts = np.flatnonzero((steps != 0) & (steps != 1)) + 1
        pieces = []
        for part in np.split(numbers, cuts):
            first = int(part[0])
            pieces.append(self._starts.chunk(first, int(part[-1]) + 1)[part - first])
        return np.concatenate(pieces)

    def parameters(self, a: int, b: int) -> tuple[Any, ...]:
        """Numeric parameters of these runs: each a float, or an array (b - a,)."""
        return self.parameters_of(slice(a, b))

    def parameters_of(self, runs: Indices | slice) -> tuple[Any, ...]:
        """The same of any runs."""
        return tuple(
            np.broadcast_to(number, self.shape).flat[runs]
            if isinstance(number, np.ndarray)
            else number
            for number in self.numbers
        )

    def members(self, a: int, b: int) -> Indices:
        """The ensemble's member that each of the runs a to b - 1 is on; else 0."""
        return self.members_of(np.arange(a, b))

    def members_of(self, runs: Indices) -> Indices:
        """The same of any runs."""
        return runs // self.each if self._count is not None else np.zeros_like(runs)

    # -- shapes --------------------------------------------------------------------------

    def _has_members(self, shape: Shape) -> bool:
        return self._count is not None and len(shape) > 1 and shape[0] == self._count

    def _of_member(self, shape: Shape) -> Shape:
        """What of a shape is there for each member."""
        return shape[1:] if self._has_members(shape) else shape

    def _aligned_shape(self, shape: Shape, axes: int) -> Shape:
        """*shape* so that it broadcasts against the batch's, with *axes* axes for a member."""
        if not self._has_members(shape):
            return shape
        return (shape[0], *(1,) * (axes - len(shape) + 1), *shape[1:])

    def _aligned(self, number: Any, axes: int) -> Any:
        if isinstance(number, np.ndarray):
            return number.reshape(self._aligned_shape(number.shape, axes))
        return number


class Picked:
    """Some runs of a batch, as a batch of their own."""

    def __init__(self, batch: Batch, runs: Indices):
        self._batch, self._runs = batch, runs
        self.size, self.shape, self.per_run = len(runs), (len(runs),), batch.per_run
        self.each = 1

    def starts(self, a: int, b: int) -> NDArray[Any]:
        return self._batch.starts_of(self._runs[a:b])

    def parameters(self, a: int, b: int) -> tuple[Any, ...]:
        return self._batch.parameters_of(self._runs[a:b])

    def numbers_of(self, a: int, b: int) -> Indices:
        return self._batch.indices_of(self._runs[a:b])

    def members(self, a: int, b: int) -> Indices:
        return self._batch.members_of(self._runs[a:b])


def _broadcast_shapes(a: Shape, b: Shape) -> Shape:
    """As np.broadcast_shapes, which refuses a batch of more runs than an int64 counts."""
    length = max(len(a), len(b))
    pairs = list(zip((1,) * (length - len(a)) + a, (1,) * (length - len(b)) + b, strict=True))
    if any(m != n and 1 not in (m, n) for m, n in pairs):
        raise ValueError
    return tuple(n if m == 1 else m for m, n in pairs)


def _as_points(starts: ArrayLike) -> NDArray[Any]:
    if np.ma.is_masked(starts):
        raise TypeError(
            "starts is a masked array: leave the masked ones out, or fill them with nan, and "
            "such a run has diverged at step 0: starts.filled(np.nan)"
        )
    try:
        array = np.asarray(starts)
    except ValueError as error:
        raise ValueError(f"starts: {error}") from None
    if array.dtype.kind not in "fiu":
        raise TypeError(
            f"starts has dtype {array.dtype}: must be real numbers; convert it with "
            "np.asarray(starts, float)"
        )
    return array


def _broadcast(rule: Rule, shape: Shape, of_member: Callable[[Shape], Shape]) -> Shape:
    batch = shape
    for (name, _, _), number in zip(rule.numeric(), rule.numbers, strict=True):
        try:
            batch = _broadcast_shapes(batch, of_member(np.shape(number)))
        except ValueError:
            raise ValueError(
                f"{name} has shape {np.shape(number)}, which does not broadcast against the "
                f"batch of shape {batch}; {type(rule).__name__}'s parameters take one value "
                "for all runs, or one a run"
            ) from None
    return batch
