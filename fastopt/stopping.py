"""When a run ends, and what is kept on its way."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastopt.checks import check_each, whole
from fastopt.ensembles import Objective
from fastopt.kernels.parts import Watch


@dataclass(frozen=True)
class Stop:
    """Criteria by which a run ends before ``max_steps``.

    A run has *converged* at the first step t (t = 0 is the start itself) at which any of the
    given criteria holds at x_t, and *diverged* at the first at which a coordinate is not
    finite or beyond ``escape``. Both are exact, except that what was beyond ``escape`` and
    back again within 32 steps may go unseen. At the same step, diverged comes first.

    With ``noise=`` the criteria look at the noiseless gradient and value, of all rows for a
    mini-batch, and not at what the rule gets; so with the noise of rules that draw their own.

    Parameters
    ----------
    gradient : float, optional
        The Euclidean norm of the gradient is at most this. In units of f/x. With ``noise=``
        it is that of the exact gradient, and so are the other criteria.
    value : float, optional
        The value is at most this above ``surface.fun_min``. In units of f.
    distance : float, optional
        The nearest of ``surface.minima`` is at most this far. In units of x.
    escape : float, default 1e10
        The largest magnitude of a coordinate. In units of x.

    Raises
    ------
    ValueError
        A criterion is negative or nan, ``escape`` is not > 0, or (in :func:`fastopt.run`) a
        limit on a norm has a square that is not a normal number of the run's dtype, such as
        1e-170, or 1e-24 in float32.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Stop(gradient=1e-6, value=1e-12)
    Stop(gradient=1e-06, value=1e-12, distance=None, escape=10000000000.0)
    """

    gradient: float | None = None
    value: float | None = None
    distance: float | None = None
    escape: float = 1e10

    def __post_init__(self) -> None:
        for name in ("gradient", "value", "distance"):
            limit = getattr(self, name)
            if limit is not None:
                limit = _number(name, limit)
                if not limit >= 0:
                    raise ValueError(f"{name}={limit!r}: must be >= 0 (Stop)")
                object.__setattr__(self, name, limit)
        escape = _number("escape", self.escape)
        if not escape > 0:
            raise ValueError(f"escape={escape!r}: must be > 0 (Stop)")
        object.__setattr__(self, "escape", escape)

    @property
    def watch(self) -> Watch:
        """What the kernels must track."""
        given = (self.gradient, self.value, self.distance)
        return Watch(*(limit is not None for limit in given))

    def check(self, surface: Objective) -> None:
        """Raise if *surface* lacks what a criterion needs."""
        if self.value is not None and math.isnan(surface.fun_min):
            raise ValueError(
                f"Stop(value={self.value!r}): the minimum of {surface!r} is not known "
                "(fun_min is nan); stop by gradient= instead"
            )
        if self.distance is not None and not surface.minima_known:
            raise ValueError(
                f"Stop(distance={self.distance!r}): no minimum of {surface!r} is known; "
                "stop by gradient= instead"
            )

    def limits(self, dtype: DTypeLike) -> NDArray[Any]:
        """The limits that the kernels compare with; -inf for what is not asked for.

        They track squares, so a limit on a norm becomes the largest number whose square root
        is at most that limit: the comparison then holds exactly where that of the norms does.
        """
        real: Any = np.dtype(dtype).type
        limits = np.full(3, -np.inf, dtype)
        with np.errstate(over="ignore"):
            for place, name in ((0, "gradient"), (2, "distance")):
                limit = getattr(self, name)
                if limit is not None:
                    _check_square(name, limit, dtype)
                    limits[place] = _square_limit(real(limit))
            if self.value is not None:
                limits[1] = self.value
        # What was never seen, because it was nan, stands at inf and must not meet a limit.
        return np.minimum(limits, np.finfo(dtype).max)


# The steps at which they are reached then take 80 kB a run.
_MOST_TARGETS = 10_000


def check_targets(targets: ArrayLike | None, surface: Objective) -> NDArray[np.float64]:
    """*targets* as a new array (k,), which is empty if there are none."""
    if targets is None:
        return np.zeros(0)
    try:
        array = np.asarray(targets)
    except ValueError:  # lists of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"targets={targets!r}: must be an array of numbers (run)")
    if array.ndim != 1 or not 1 <= len(array) <= _MOST_TARGETS:
        raise ValueError(
            f"targets has shape {array.shape}: must be (k,), with k from 1 to {_MOST_TARGETS:,} "
            "(run); e.g. np.logspace(2, -8, 51)"
        )
    levels = array.astype(np.float64)
    good = np.isfinite(levels) & (levels >= 0)
    check_each("run", good, "must be finite and >= 0, values above fun_min", targets=levels)
    if math.isnan(surface.fun_min):
        raise ValueError(
            f"targets: the minimum of {surface!r} is not known (fun_min is nan); set "
            "its fun_min, if you know it, or keep all values by record= (run)"
        )
    return levels


def target_levels(
    targets: NDArray[np.float64], surface: Objective, dtype: DTypeLike
) -> NDArray[Any]:
    """The highest value f for which f - fun_min is at most each target, all rounded to *dtype*."""
    if not len(targets):
        return targets.astype(dtype)
    return _levels(targets.tobytes(), surface.fun_min, np.dtype(dtype).name)


@lru_cache(maxsize=64)
def _levels(targets: bytes, fun_min: float, dtype: str) -> NDArray[Any]:
    # Kept, because 0.6 ms are as much as a thousand runs take, and a study asks often.
    real: Any = np.dtype(dtype).type
    with np.errstate(over="ignore"):
        rounded, lowest = np.frombuffer(targets).astype(dtype), real(fun_min)
        # By bisection of the numbers in their order: near a sum of 0 there are a lot of them.
        # Never inf, where what was never seen, because it was nan, stands.
        ends = np.full((2, len(rounded)), [[np.finfo(dtype).min], [np.inf]], dtype)
        low, high = _in_order(ends)
        for _ in range(8 * low.itemsize):
            middle = (low >> 1) + (high >> 1) + (low & high & 1)
            reaches = _from_order(middle) - lowest <= rounded
            low, high = np.where(reaches, middle, low), np.where(reaches, high, middle)
    levels = _from_order(low)
    levels.flags.writeable = False
    return levels


def _in_order(numbers: NDArray[Any]) -> NDArray[Any]:
    """Whole numbers in the order of *numbers*, successive ones for successive ones."""
    bits = numbers.view(f"i{numbers.itemsize}")
    return np.where(bits < 0, np.iinfo(bits.dtype).min - bits, bits)


def _from_order(places: NDArray[Any]) -> NDArray[Any]:
    bits = np.where(places < 0, np.iinfo(places.dtype).min - places, places)
    return bits.view(f"f{bits.itemsize}")


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool | str | bytes):
        raise TypeError(f"{name}={value!r}: must be a number (Stop)")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name}={value!r}: must be a number (Stop)") from None


def _check_square(name: str, limit: float, dtype: DTypeLike) -> None:
    """Refuse a limit whose square is not a normal number: the squares could not be compared."""
    numbers = np.finfo(dtype)
    least, most = math.sqrt(numbers.smallest_normal), math.sqrt(numbers.max)
    if limit != 0 and not least <= limit <= most:
        raise ValueError(
            f"{name}={limit!r}: must be 0, or from {least:.3g} to {most:.3g}, so that its square "
            f"is a normal number of {np.dtype(dtype).name} (Stop)"
        )


def _square_limit(limit: Any) -> Any:
    """The largest number of the type of *limit* whose square root is at most *limit*."""
    with np.errstate(over="ignore", under="ignore"):
        square = limit * limit
        while np.sqrt(square) > limit:
            square = np.nextafter(square, -np.inf, dtype=square.dtype)
        while np.sqrt(above := np.nextafter(square, np.inf, dtype=square.dtype)) <= limit:
            if above == square:
                break
            square = above
    return square


@dataclass(frozen=True, init=False)
class Record:
    """Which steps' iterates and values to keep: ``runs.trajectory`` and its companions.

    A run that ended stays at its last point.

    Parameters
    ----------
    steps : iterable of int, optional
        The steps, 0 being the start; repeated ones are kept once, in ascending order.
    every : int, optional
        Every so many steps instead, from 0 to ``max_steps``.

    Raises
    ------
    ValueError
        Neither or both are given, or a step is negative.

    Examples
    --------
    >>> import fastopt as fo
    >>> fo.Record(every=25).resolve(max_steps=100)
    array([  0,  25,  50,  75, 100])
    """

    steps: tuple[int, ...] | None = field(default=None)
    every: int | None = None

    def __init__(self, steps: Iterable[int] | None = None, every: int | None = None):
        if (steps is None) == (every is None):
            raise ValueError("Record: give either steps=[...] or every=, and not both")
        chosen = None
        if steps is not None:
            if isinstance(steps, str | bytes) or not isinstance(steps, Iterable):
                raise TypeError(f"steps={steps!r}: must be a list of whole numbers (Record)")
            chosen = tuple(sorted({whole("Record", "steps", step, 0) for step in steps}))
            if not chosen:
                raise ValueError("steps=[]: must hold at least one step (Record)")
        if every is not None:
            every = whole("Record", "every", every, 1)
        object.__setattr__(self, "steps", chosen)
        object.__setattr__(self, "every", every)

    def count(self, max_steps: int) -> int:
        """How many steps :meth:`resolve` gives."""
        return max_steps // self.every + 1 if self.every else len(self.steps or ())

    def resolve(self, max_steps: int) -> NDArray[np.int64]:
        """The steps to record in runs of up to *max_steps*, ascending."""
        if self.every is not None:
            return np.arange(0, max_steps + 1, self.every, dtype=np.int64)
        assert self.steps is not None
        if self.steps[-1] > max_steps:
            raise ValueError(
                f"Record: step {self.steps[-1]} is beyond max_steps={max_steps}; "
                "raise max_steps or leave it out"
            )
        return np.array(self.steps, np.int64)
