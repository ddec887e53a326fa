"""Chunks out to workers, a bounded number at a time, and their results back in any order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait

from fastopt.study.executors import Backend
from fastopt.study.plan import Chunk

# How often progress is shown.
_PERIOD = 0.1
# Workers that die so often, with no chunk finished in between, die of the chunk.
_MOST_DEATHS = 3


def drive(
    chunks: Iterator[Chunk],
    backend: Backend,
    keep: Callable[[int, bytes], None],
    note: Callable[[float], None],
) -> None:
    """Have all chunks run.

    Parameters
    ----------
    chunks : iterator of Chunk
        Taken from as workers become free.
    backend : Backend
        Closed at the end, however that comes.
    keep : callable
        Given number and bytes of each finished chunk, here in the calling thread.
    note : callable
        Given the number of finished chunks, with fractions, often.
    """
    pending: dict[Future[bytes], Chunk] = {}
    again: deque[Chunk] = deque()
    done = deaths = 0
    try:
        while True:
            lost: BaseException | None = _submit(chunks, again, pending, backend)
            if not pending and lost is None:
                return
            finished, _ = wait(pending, _PERIOD, FIRST_COMPLETED)
            for future in finished:
                try:
                    data = future.result()
                except backend.lost as error:
                    lost = error
                    continue
                keep(pending.pop(future).number, data)
                done, deaths = done + 1, 0
            if lost is not None:
                deaths += 1
                again.extend(pending.values())
                pending.clear()
                if deaths > _MOST_DEATHS or not backend.renew():
                    raise _lost(again, lost) from lost
            note(done + backend.running())
    except BaseException:
        backend.cancel()
        for future in pending:
            future.cancel()
        raise
    finally:
        backend.close()


def _submit(
    chunks: Iterator[Chunk],
    again: deque[Chunk],
    pending: dict[Future[bytes], Chunk],
    backend: Backend,
) -> Exception | None:
    """Keep as many chunks in flight as can be; what was wrong if the executor takes none."""
    while len(pending) < backend.most:
        chunk = again.popleft() if again else next(chunks, None)
        if chunk is None:
            break
        try:
            pending[backend.submit(chunk)] = chunk
        except BrokenExecutor as error:
            again.append(chunk)
            return error
    return None


def _lost(chunks: deque[Chunk], error: BaseException) -> RuntimeError:
    numbers = ", ".join(str(chunk.number) for chunk in list(chunks)[:4])
    return RuntimeError(
        f"the executor lost its workers ({type(error).__name__}) while chunks {numbers} were "
        "under way; with a store, what is finished is kept: run the study again, with a new "
        "executor"
    )
