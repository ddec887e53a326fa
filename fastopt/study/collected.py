"""What the finished chunks of a study come to, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastopt import memory
from fastopt.progress import Bar
from fastopt.study.chunk_file import decode
from fastopt.study.reduced import Reduced
from fastopt.study.result import Result
from fastopt.study.store import Manifest

# How often memory is given back, in seconds; it takes some milliseconds.
_TRIMMED = 1.0


class Collected:
    """What the finished chunks of a study come to."""

    def __init__(self, manifest: Manifest):
        self.manifest, self.hash, self.chunks = manifest, manifest.hash, manifest.chunks()
        self.done: set[int] = set()
        self._trimmed = time.monotonic()
        self._cells: dict[tuple[int, int], Reduced] = {}

    def decode(self, number: int, data: bytes) -> list[tuple[int, Reduced]]:
        """The pieces of a chunk that a worker sent."""
        group, runs = self.chunks[number]
        return decode(data, self.hash, number, self.manifest.outline.groups[group], runs)

    def add(self, number: int, pieces: list[tuple[int, Reduced]]) -> None:
        """Count a chunk in, once."""
        if number in self.done:
            raise RuntimeError(f"internal error: chunk {number} came twice; please report it")
        group, _ = self.chunks[number]
        shape = self.manifest.outline.groups[group].shape
        for setting, reduced in pieces:
            place = (group, setting)
            before = self._cells.get(place, Reduced.nothing(shape))
            self._cells[place] = Reduced.merged([before, reduced], shape)
        self.done.add(number)
        if time.monotonic() - self._trimmed > _TRIMMED:
            memory.trim()
            self._trimmed = time.monotonic()

    def left(self) -> int:
        """How many runs are still to be made."""
        return sum(len(runs) for n, (_, runs) in enumerate(self.chunks) if n not in self.done)

    def result(self) -> Result:
        """All of it."""
        return Result(self.manifest.outline, self._cells)


class StudyBar:
    """How far a study is: runs a second, and the time left for what is still to do."""

    def __init__(self, wanted: bool | Callable[[float], None], collected: Collected, todo: int):
        self._bar, self._collected, self._todo = Bar(wanted), collected, todo
        self._begun, self._runs = time.monotonic(), collected.left()

    def show(self, chunks: float) -> None:
        """After so many chunks of this call."""
        done, total = len(self._collected.done), len(self._collected.chunks)
        seconds = max(time.monotonic() - self._begun, 1e-9)
        rate = chunks / self._todo * self._runs / seconds
        self._bar.show(chunks / self._todo, f"{done}/{total} chunks, {_short(rate)} runs/s")

    def close(self) -> None:
        """Take it away."""
        self._bar.close()


def _short(rate: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if rate >= size:
            return f"{rate / size:.3g}{letter}"
    return f"{rate:.3g}"
