"""A line on the terminal that says how far a long run is."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable

_PATIENCE = 1.0
_PERIOD = 0.1
_WIDTH = 30


class Bar:
    """A bar on standard error, shown after a second, and only where that is a terminal.

    If *wanted* is a function, that is called with the share instead, often and at once.
    """

    def __init__(self, wanted: bool | Callable[[float], None]):
        self._call = wanted if callable(wanted) else None
        shown = self._call is None and bool(wanted)
        self._wanted = shown and bool(sys.stderr) and sys.stderr.isatty()
        self._begun = time.monotonic()
        self._next = self._begun + _PATIENCE
        self._shown = 0
        self._lock = threading.Lock()

    def show(self, share: float, text: str) -> None:
        """Draw the bar at *share* of 1, with *text* after it, if it is time to."""
        if self._call is not None:
            self._call(share)
        if not self._wanted or time.monotonic() < self._next:
            return
        with self._lock:
            now = time.monotonic()
            self._next = now + _PERIOD
            filled = round(share * _WIDTH)
            left = (now - self._begun) * (1 - share) / max(share, 1e-9)
            line = (
                f"{share:4.0%} {'━' * filled}{'─' * (_WIDTH - filled)} "
                f"{text}, {duration(left)} left"
            )[:79]
            self._write(line)

    def close(self) -> None:
        """Take the bar away."""
        if self._shown:
            self._write("")
            print("\r", end="", file=sys.stderr, flush=True)

    def _write(self, line: str) -> None:
        print(f"\r{line:<{self._shown}}", end="", file=sys.stderr, flush=True)
        self._shown = len(line)


def duration(seconds: float) -> str:
    """*seconds* for a person: ``12 s``, ``3 min``, ``1.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
