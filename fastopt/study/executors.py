"""Where chunks run: threads of this process, processes of our own, or somebody's executor."""

from __future__ import annotations

import importlib
import multiprocessing
import os
import pickle
import signal
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from typing import Any

from fastopt.checks import whole
from fastopt.study.plan import Chunk, Plan
from fastopt.study.work import ONE_THREAD, run_chunk, run_remote_chunk, this_process
from fastopt.workers import processors

# Chunks in flight for each worker: one that runs and one that waits.
_AHEAD = 2
# Tried again so often by Dask, on another worker each time.
_RETRIES = 3


class Backend(ABC):
    """Where chunks run, *most* of them in flight; *lost* is raised of one whose worker died."""

    most: int
    lost: tuple[type[BaseException], ...] = (BrokenExecutor, CancelledError)

    @abstractmethod
    def submit(self, chunk: Chunk) -> Future[bytes]:
        """Have a chunk run some time."""

    def running(self) -> float:
        """The share, in chunks, that is done of those that are under way."""
        return 0.0

    def renew(self) -> bool:
        """Start anew after a worker died; whether that can be done here."""
        return False

    @abstractmethod
    def cancel(self) -> None:
        """End what is under way, as soon as can be."""

    @abstractmethod
    def close(self) -> None:
        """Leave nothing behind."""


class Threads(Backend):
    """Threads of this process, a chunk on each."""

    def __init__(self, workers: int):
        self.most = _AHEAD * workers
        self._pool = ThreadPoolExecutor(workers, "fastopt-study")
        self._stop = threading.Event()
        self._shares: dict[int, float] = {}

    def submit(self, chunk: Chunk) -> Future[bytes]:
        return self._pool.submit(self._run, chunk)

    def _run(self, chunk: Chunk) -> bytes:
        def report(share: float) -> None:
            if self._stop.is_set():
                raise InterruptedError("the study was ended")
            self._shares[chunk.number] = share

        try:
            return run_chunk(chunk, report)
        finally:
            self._shares.pop(chunk.number, None)

    def running(self) -> float:
        return sum(list(self._shares.values()))

    def cancel(self) -> None:
        self._stop.set()

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


class Processes(Backend):
    """Processes of our own, which are replaced if one dies."""

    def __init__(self, workers: int):
        self.most, self._workers = _AHEAD * workers, workers
        self._pool = self._new()

    def _new(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # a fork would inherit our threads' locks
        return ProcessPoolExecutor(self._workers, context, _ignore_interrupts)

    def submit(self, chunk: Chunk) -> Future[bytes]:
        with _one_thread_each():
            return self._pool.submit(run_remote_chunk, chunk, this_process())

    def renew(self) -> bool:
        self.close()
        self._pool = self._new()
        return True

    def cancel(self) -> None:
        for process in list((self._pool._processes or {}).values()):
            process.terminate()

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)


class Foreign(Backend):
    """An executor of the user's, which stays open."""

    def __init__(self, executor: Executor, workers: int):
        self.most, self._executor = _AHEAD * workers, executor
        if _is_dask(executor):
            self.lost = (*self.lost, importlib.import_module("distributed").KilledWorker)

    def submit(self, chunk: Chunk) -> Future[bytes]:
        return self._executor.submit(run_remote_chunk, chunk, this_process())

    def cancel(self) -> None:
        pass  # what waits is cancelled by its future, what runs is not ours to end

    def close(self) -> None:
        pass


def choose_backend(executor: Any, workers: int | None, plan: Plan) -> Callable[[], Backend]:
    """What makes the backend that was asked for; checked before any work.

    Raises
    ------
    TypeError
        *executor* is no executor.
    ValueError
        A rule, surface, ... cannot be sent to the processes of the executor.
    """
    if workers is not None:
        workers = whole("Study.run", "workers", workers, 1, 4096)
    if executor is None:
        return lambda: Threads(workers or processors())
    if executor == "processes":
        _check_picklable(plan, "spawn")
        return lambda: Processes(workers or processors())
    if hasattr(executor, "get_executor"):  # a client of Dask
        executor = executor.get_executor(pure=False, retries=_RETRIES)
    if not isinstance(executor, Executor):
        raise TypeError(
            f"executor={executor!r}: must be None (threads), 'processes', an executor of "
            "concurrent.futures, or a client of Dask"
        )
    if isinstance(executor, ProcessPoolExecutor):
        context: Any = getattr(executor, "_mp_context", None)
        _check_picklable(plan, context.get_start_method() if context else "spawn")
    chosen = executor
    return lambda: Foreign(chosen, workers or _workers(chosen))


def _is_dask(executor: Any) -> bool:
    return hasattr(executor, "_client")


def _workers(executor: Any) -> int:
    if _is_dask(executor):
        return max(sum(executor._client.nthreads().values()), 1)
    return getattr(executor, "_max_workers", None) or processors()


def _check_picklable(plan: Plan, start_method: str) -> None:
    """Refuse what another process could not be given."""
    for what, value in plan.named_objects():
        try:
            text = pickle.dumps(value)
        except Exception as error:
            raise ValueError(
                f"{what}={value!r}: cannot be sent to another process ({error}); define its "
                "functions in a module, not inside another function, or use executor=None"
            ) from None
        if start_method != "fork" and b"__main__" in text:
            raise ValueError(
                f"{what}={value!r}: it is defined in __main__, where worker processes do not "
                "find it; move it to a module, or use executor=None"
            )


def _ignore_interrupts() -> None:
    """In a worker: Ctrl-C is for the process that will end it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """Around the start of processes: BLAS and numba in them use one thread."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
