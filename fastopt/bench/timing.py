"""Timing several things side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

# A call shorter than this is made once untimed before it is timed.
_SHORT = 0.1


def interleaved(*calls: Callable[[], Any], repeats: int) -> list[float]:
    """Median seconds of each of *calls*, made in turn: A A B B A A B B, every second timed.

    What else the machine does then weighs on all of them alike. Each is called once before
    the clock runs, and short ones are repeated until all together took half a second. The
    untimed call is there because a call of a millisecond takes up to twice as long after
    another library's: caches are cold, and a processor that was idle is slow to wake.
    """
    for call in calls:
        call()
    seconds: list[list[float]] = [[] for _ in calls]
    while len(seconds[0]) < repeats or (sum(map(sum, seconds)) < 0.5 and len(seconds[0]) < 99):
        for call, times in zip(calls, seconds, strict=True):
            if not times or times[-1] < _SHORT:
                call()
            begun = time.perf_counter()
            call()
            times.append(time.perf_counter() - begun)
    return [statistics.median(times) for times in seconds]
