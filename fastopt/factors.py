"""The values of a learning rate that changes with the step, as the engine asks for them."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastopt.rules import Schedule

_FIRST = 1024


class Factors:
    """The values of a schedule, computed once a step, by whichever thread gets there first.

    They are kept: 8 bytes a step that was reached. False without a schedule.
    """

    def __init__(self, schedule: Schedule | None, max_steps: int, dtype: str):
        self._schedule = schedule
        self._max_steps = max_steps
        self._room: NDArray[Any] = np.zeros(0, dtype)
        self._table = self._room
        self._lock = threading.Lock()
        if schedule is not None:
            self.upto(min(_FIRST, max_steps))  # errors come before any work

    def __bool__(self) -> bool:
        return self._schedule is not None

    def upto(self, step: int) -> NDArray[Any]:
        """The factors of the steps 0 to at least *step* - 1 (or to the last)."""
        with self._lock:
            known = len(self._table)
            if step > known:
                # A little ahead, and no more: Ctrl-C waits for it.
                wanted = min(max(step, known + _FIRST), max(self._max_steps, 1))
                more = [self._at(t) for t in range(known, wanted)]
                if wanted > len(self._room):
                    room = np.empty(2 * wanted, self._room.dtype)
                    room[:known] = self._table
                    self._room = room
                self._room[known:wanted] = more
                self._table = self._room[:wanted]
            return self._table

    def _at(self, step: int) -> float:
        assert self._schedule is not None
        rate = self._schedule(step)
        try:
            value = float(rate)
        except (TypeError, ValueError):
            raise TypeError(
                f"learning_rate: the schedule gave {rate!r} at step {step}: must be a number"
            ) from None
        if not (value >= 0 and math.isfinite(value)):
            raise ValueError(
                f"learning_rate: the schedule gave {value!r} at step {step}: must be finite "
                "and >= 0"
            )
        return value
