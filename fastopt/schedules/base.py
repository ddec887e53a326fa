"""What a schedule is, and schedules times one rate a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastopt.checks import whole


class Schedule:
    """The learning rate of each step.

    Adding a schedule is adding a frozen dataclass that defines ``__call__(step)``: the rate of
    the step of that index, from 0, a float >= 0. A plain function of the index can stand for
    a learning rate too, but is multiplied by rates only as ``fo.schedules.Scaled(f, rates)``.
    """

    # So that rates * schedule comes here, and not to an array of objects.
    __array_ufunc__ = None

    def __call__(self, step: int) -> float:
        """The learning rate of the step of this index, from 0."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step)")

    def scaled(self, rates: ArrayLike) -> Scaled:
        """This schedule times *rates*, a number or one a run: see :class:`Scaled`."""
        return Scaled(self, rates)

    def __mul__(self, rates: ArrayLike) -> Scaled:
        return self.scaled(rates)

    __rmul__ = __mul__


@dataclass(frozen=True, eq=False, repr=False)
class Scaled(Schedule):
    """A schedule times rates, one a run: what ``rates * schedule`` makes.

    .. math:: \\alpha_t = r \\, s(t)

    Parameters
    ----------
    schedule : callable
        s, any function of the step's index that returns a number >= 0.
    rates : float or array
        r, in the range of the rule's learning rate. An array holds one rate a run: it
        broadcasts against the batch, as any other parameter does.

    Notes
    -----
    The product is taken at the type of the run (float64 or float32), after both factors were
    rounded to it.

    Examples
    --------
    >>> import fastopt as fo
    >>> rates = [0.5, 1.0] * fo.schedules.Step(1.0, every=1, factor=0.5)
    >>> rule = fo.GradientDescent(learning_rate=rates)
    >>> fo.run(rule, fo.Sphere(dim=1), [[1.0]], max_steps=2, stop=None).x
    array([[0.],
           [0.]])
    """

    schedule: Callable[[int], float]
    rates: Any

    def __post_init__(self) -> None:
        if not callable(self.schedule):
            raise TypeError(
                f"schedule={self.schedule!r}: must be a schedule such as "
                "fo.schedules.Cosine(1.0, steps=1000), or a function of the step (Scaled)"
            )
        if callable(self.rates):
            raise TypeError(
                f"rates={self.rates!r}: must be a number or an array of numbers; a product of "
                "two schedules is a function of your own, lambda t: first(t) * second(t) "
                "(Scaled)"
            )
        rates = _numbers(self.rates)
        schedule = self.schedule
        if isinstance(schedule, Scaled):
            rates, schedule = rates * schedule.rates, schedule.schedule
        object.__setattr__(self, "schedule", schedule)
        if np.ndim(rates) == 0:
            object.__setattr__(self, "rates", float(rates))
        else:
            rates.flags.writeable = False
            object.__setattr__(self, "rates", rates)

    def __call__(self, step: int) -> Any:
        """The learning rate of that step, or the array of them."""
        return self.rates * self.schedule(step)

    def __repr__(self) -> str:
        array = isinstance(self.rates, np.ndarray)
        rates = f"<array {self.rates.shape}>" if array else repr(self.rates)
        return f"Scaled({self.schedule!r}, {rates})"


def _numbers(value: Any) -> NDArray[np.float64]:
    try:
        rates = np.asarray(value)
        if rates.dtype.kind not in "fiu":
            raise TypeError
    except (TypeError, ValueError):
        raise TypeError(
            f"rates={value!r}: must be a number or an array of numbers (Scaled)"
        ) from None
    rates = rates.astype(np.float64)
    good = (rates >= 0) & np.isfinite(rates)
    if not good.all():
        place = np.unravel_index(np.argmin(good), rates.shape)
        where = f"rates[{', '.join(map(str, place))}]" if rates.ndim else "rates"
        found = rates[place].item()
        raise ValueError(f"{where}={found!r}: must be >= 0 and finite (Scaled)")
    return rates


class Checks:
    """Checks of one schedule's parameters; each leaves a plain float or int in its place."""

    def __init__(self, schedule: Schedule):
        self._schedule = schedule
        self._owner = type(schedule).__name__

    def number(self, name: str, contains: Callable[[float], bool], text: str) -> float:
        """A finite number for which *contains* holds; *text* says which those are."""
        value = getattr(self._schedule, name)
        if isinstance(value, Schedule) or np.ndim(value):
            raise TypeError(
                f"{name}={value!r}: must be one number; for one rate a run, multiply the "
                f"schedule by them: rates * fo.schedules.{self._owner}(...)"
            )
        if isinstance(value, bool | np.bool_) or np.asarray(value).dtype.kind not in "fiu":
            raise TypeError(f"{name}={value!r}: must be a number ({self._owner})")
        value = float(value)
        if not contains(value):
            raise ValueError(f"{name}={value!r}: must be {text} ({self._owner})")
        if not np.isfinite(value):
            raise ValueError(f"{name}={value!r}: must be finite ({self._owner})")
        object.__setattr__(self._schedule, name, value)
        return value

    def positive(self, *names: str) -> None:
        for name in names:
            self.number(name, lambda v: v > 0, "> 0")

    def non_negative(self, *names: str) -> None:
        for name in names:
            self.number(name, lambda v: v >= 0, ">= 0")

    def whole(self, name: str, least: int) -> int:
        value = whole(self._owner, name, getattr(self._schedule, name), least)
        object.__setattr__(self._schedule, name, value)
        return value
