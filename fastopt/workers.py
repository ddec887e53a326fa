"""Threads that wait for work: to start one takes 0.2 ms, as long as a small run."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

# More than anyone asks for, so that no call waits for another's threads.
_MOST = 1 << 16
_pool = ThreadPoolExecutor(_MOST, "fastopt")


def _renew() -> None:
    global _pool
    _pool = ThreadPoolExecutor(_MOST, "fastopt")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)  # a fork leaves the threads behind


class StoppedError(Exception):
    """Another thread failed, or the user pressed Ctrl-C."""


def share_out(work: Callable[[], None], threads: int, stop: threading.Event) -> None:
    """Run *work* on *threads* threads, the calling one among them.

    The first error, or Ctrl-C, sets *stop*, upon which each *work* should raise
    :class:`StoppedError`, and is raised once all have ended.
    """
    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except StoppedError:
            pass
        except BaseException as error:
            errors.append(error)
            stop.set()

    helpers: list[Future[None]] = []
    try:
        helpers.extend(_pool.submit(guarded) for _ in range(threads - 1))
        guarded()
        _finish(helpers)
    except BaseException:  # Ctrl-C in here
        stop.set()
        _finish(helpers)
        raise
    if errors:
        raise errors[0]


def _finish(helpers: list[Future[None]]) -> None:
    """Wait for those that have begun; for the others there is nothing left to do."""
    wait([helper for helper in helpers if not helper.cancel()])


def processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
