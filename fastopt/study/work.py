"""Running a chunk: what a worker does."""

from __future__ import annotations

import importlib
import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache as memoise

import numba
import numpy as np

from fastopt.part import Part
from fastopt.run import run
from fastopt.study.chunk_file import encode
from fastopt.study.counting import Counting
from fastopt.study.plan import Chunk, Piece
from fastopt.study.settings import joined

# Results of so many bytes are made at a time, and then reduced: little enough for any machine,
# and enough for what a call costs not to count.
_PORTION = 10 << 20
_LEAST_RUNS, _MOST_RUNS = 1 << 8, 1 << 18
# Settings of fewer runs are run together, with one value of each parameter a run: slower than
# with one for all, but faster than a call for each.
_SHORT = 1 << 11

ONE_THREAD = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)
"""What BLAS and numba read in the environment when they are loaded."""


def run_chunk(chunk: Chunk, report: Callable[[float], None] | None = None) -> bytes:
    """Run and reduce a chunk on one thread; the same bytes wherever it runs.

    Parameters
    ----------
    chunk : Chunk
    report : callable, optional
        Called often with the share that is done; what it raises ends the work.
    """
    total, done = sum(piece.starts.size for piece in chunk.pieces), 0
    settings = iter(chunk.pieces)
    counting: Counting | None = None
    reduced = []
    for batch in _batches(chunk):
        sizes = [piece.starts.size for piece in batch]
        own = sum(sizes)
        runs = run(
            joined([piece.rule for piece in batch], sizes),
            chunk.surface,
            Part.joined([piece.starts for piece in batch]),
            max_steps=chunk.max_steps,
            seed=chunk.seed,
            threads=1,
            progress=False if report is None else _note(report, done / total, own / total),
            **chunk.common.options(),
        )
        at = 0
        for size in sizes:
            if counting is None:
                starts = next(settings).starts
                counting = Counting(chunk.shape, int(starts.runs(0, 1)[0]), starts.size)
            counting.add(runs, slice(at, at + size))
            at += size
            if counting.complete:
                reduced.append(counting.result())
                counting = None
        del runs  # before the next are made
        done += own
    return encode(chunk.plan, chunk.number, reduced)


def _batches(chunk: Chunk) -> Iterator[list[Piece]]:
    """What is run at a time: a portion of a piece, or several pieces that are short."""
    length = portion(chunk)
    batch: list[Piece] = []
    room = 0
    for piece in chunk.pieces:
        n = piece.starts.size
        if n > min(_SHORT, length):
            for a in range(0, n, length):
                yield [replace(piece, starts=piece.starts.cut(a, min(a + length, n)))]
            continue
        if batch and n > room:
            yield batch
            batch = []
        room = (room if batch else length) - n
        batch.append(piece)
    if batch:
        yield batch


Sender = tuple[str, int]
"""The host and the process that a chunk comes from."""


def this_process() -> Sender:
    """Who sends chunks from here."""
    return socket.gethostname(), os.getpid()


def run_remote_chunk(chunk: Chunk, sender: Sender) -> bytes:
    """The same for an executor, whose process, if it is another, is made ready first."""
    if this_process() != sender:
        _prepare(sender[0])
        numba.set_num_threads(1)  # which is each thread's own
    return run_chunk(chunk)


def _note(report: Callable[[float], None], before: float, share: float) -> Callable[[float], None]:
    return lambda own: report(before + own * share)


def portion(chunk: Chunk) -> int:
    """Runs whose results are held at a time."""
    shape, dim = chunk.shape, chunk.surface.dim
    item = np.dtype(chunk.common.dtype).itemsize
    each = (dim + 2) * item + 9 + 8 * shape.targets + shape.records * (dim + 1) * item
    return min(max(_PORTION // each, _LEAST_RUNS), _MOST_RUNS)


@memoise
def _prepare(host: str) -> None:
    """Once in a worker process: one thread, and compiled code on its own disk."""
    # Read by libraries that are still to come; numba is here.
    os.environ.update({name: "1" for name in ONE_THREAD if name != "NUMBA_NUM_THREADS"})
    try:
        import threadpoolctl
    except ImportError:
        pass  # BLAS is then the affair of whoever started the worker
    else:
        # A limit is that of the libraries that are there: SciPy has one of its own.
        importlib.import_module("scipy.linalg")
        threadpoolctl.threadpool_limits(1)
    if socket.gethostname() != host and not os.environ.get("FASTOPT_CACHE_DIR"):
        # A home folder on another machine's disk is slow, and shared by all workers.
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
        os.environ["FASTOPT_CACHE_DIR"] = os.path.join(tempfile.gettempdir(), f"fastopt-{user}")
