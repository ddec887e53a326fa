"""A folder that survives: every chunk in it is whole, or found out and set aside.

``manifest.json`` says what the study is and how it is cut into chunks, ``manifest.copy.json``
says it again, and ``chunk-000000.bin``, ... are the finished chunks. Each file is written under
another name, forced to the disk and renamed, so that a crash leaves it whole or not there.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from fastopt.study.chunk_file import DamagedError, decode
from fastopt.study.describe import differences
from fastopt.study.lock import Lock, LockedError
from fastopt.study.outline import Outline
from fastopt.study.reduced import Reduced

FORMAT = 1
_MANIFESTS = ("manifest.json", "manifest.copy.json")
_CHUNK = re.compile(r"chunk-(\d{6,})\.bin")
_PART = (".store-", ".part")
_MAKE_ROOM = "make room and run the study again: it goes on from here"
_REMEDIES = {
    errno.ENOSPC: _MAKE_ROOM,
    errno.EDQUOT: _MAKE_ROOM,
    errno.EIO: "the disk failed to read or write; run the study again with its store on another",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f) and run the study again: it "
    "goes on from here",
    errno.ENAMETOOLONG: "give a shorter path",
}


class StoreError(OSError):
    """A store cannot be used; the message says why, and what to do."""


class StoreWarning(UserWarning):
    """A file of a store was damaged; what it held is computed again."""


@dataclass(frozen=True)
class Manifest:
    """What a store holds.

    Attributes
    ----------
    plan : dict
        All that decides the results, the versions of the libraries among it.
    outline : Outline
    lengths : list of int
        Runs a chunk, by group.
    """

    plan: dict[str, Any]
    outline: Outline
    lengths: list[int]

    def body(self) -> dict[str, Any]:
        """As the file holds it."""
        outline = self.outline.to_json()
        return {"format": FORMAT, "plan": self.plan, "outline": outline, "lengths": self.lengths}

    @property
    def hash(self) -> str:
        """By which a chunk knows where it belongs."""
        return _hash(self.body())

    def chunks(self) -> list[tuple[int, range]]:
        """Group and runs of each chunk."""
        return list(self.outline.cells(self.lengths))


class Store:
    """The folder at *path*, created if need be by :meth:`open`."""

    def __init__(self, path: str | os.PathLike[str]):
        if not isinstance(path, str | os.PathLike):
            raise TypeError(f"store={path!r}: must be the path of a folder (Study)")
        self.path = Path(path)

    # -- to work in it -------------------------------------------------------------------

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Around all writing: keeps other processes out, and tidies up after dead ones."""
        with self._errors():
            self.path.mkdir(parents=True, exist_ok=True)
            if not self.path.stat().st_mode & stat.S_IWUSR:  # root could write all the same
                raise PermissionError(errno.EACCES, "the folder is read-only")
            others = [p.name for p in self.path.iterdir() if p.name != "lock"]
            ours = [n for n in others if n.startswith(("manifest", "chunk-", _PART[0]))]
            if others and not ours:
                raise StoreError(
                    f"{self.path}: it is not empty, and no study's store; give another folder"
                )
            try:
                lock = Lock(self.path / "lock")
            except LockedError as error:
                raise StoreError(
                    f"{self.path}: {error} works in this store; wait for it, or give another"
                ) from None
        try:
            with self._errors():
                for left in self.path.glob(f"{_PART[0]}*{_PART[1]}"):
                    left.unlink()
            yield
        finally:
            lock.release()

    def open(
        self, plan: dict[str, Any], outline: Outline, choose_lengths: Callable[[], list[int]]
    ) -> Manifest:
        """The manifest that is there, or a new one; refused if it is of another plan.

        Raises
        ------
        ValueError
            The store holds another study; what differs is named.
        StoreError
            It cannot be read or written.
        """
        there = self.manifest(repair=True)
        if there is None:
            made = Manifest(plan, outline, choose_lengths())
            self._write_manifests(made)
            return made
        found = differences(there.plan, plan)
        if found:
            raise ValueError(
                f"{self.path} holds another study: {'; '.join(found)}. Give another store, or "
                "the plan as it was"
            )
        return there

    def write(self, number: int, data: bytes) -> None:
        """Keep the chunk of this number."""
        with self._errors():
            self._write(self._chunk(number), data)

    def take(self, manifest: Manifest) -> Iterator[tuple[int, list[tuple[int, Reduced]]]]:
        """Number and pieces of each whole chunk; any other is set aside, with a warning."""
        for path, number, pieces in self.chunks(manifest):
            if isinstance(pieces, DamagedError):
                with self._errors():
                    aside = _free_name(path)
                    os.replace(path, aside)
                    _sync_folder(self.path)
                warnings.warn(
                    f"{path}: {pieces}; it was renamed to {aside.name} and is computed again",
                    StoreWarning,
                    stacklevel=2,
                )
            else:
                yield number, pieces

    # -- to read it ----------------------------------------------------------------------

    def manifest(self, repair: bool = False) -> Manifest | None:
        """The manifest; None if there is no file at all of a study.

        Of one that is damaged or missing there is a copy, from which it is restored if it is
        to be repaired.
        """
        with self._errors():
            texts = [_read(self.path / name) for name in _MANIFESTS]
            chunks = any(_CHUNK.fullmatch(path.name) for path in self._files())
        if texts == [None, None] and not chunks:
            return None
        parsed = [_parsed(text) for text in texts]
        good = [manifest for manifest in parsed if manifest is not None]
        if not good or any(other.body() != good[0].body() for other in good):
            raise StoreError(
                f"{self.path}: {' and '.join(_MANIFESTS)} are both damaged or lost, so what the "
                "chunks belong to is not known; give another store"
            )
        for name, manifest, text in zip(_MANIFESTS, parsed, texts, strict=True):
            if manifest is not None:
                continue
            # Without chunks it was only being created: the copy is written last.
            if text is not None or chunks:
                how = f"it is {'missing' if text is None else 'damaged'}"
                done = "it is restored from its copy" if repair else "its copy is used"
                warnings.warn(f"{self.path / name}: {how}; {done}", StoreWarning, stacklevel=3)
            if repair:
                with self._errors():
                    self._write(self.path / name, _text(good[0]))
        return good[0]

    def needed_manifest(self) -> Manifest:
        """The manifest, or an error if this is no store."""
        manifest = self.manifest() if self.path.is_dir() else None
        if manifest is None:
            raise StoreError(f"{self.path}: it is no study's store")
        return manifest

    def whole_chunks(self, manifest: Manifest) -> Iterator[tuple[int, list[tuple[int, Reduced]]]]:
        """Number and pieces of each whole chunk, with a warning of any other."""
        for path, number, pieces in self.chunks(manifest):
            if isinstance(pieces, DamagedError):
                warnings.warn(
                    f"{path}: {pieces}; it is left out, and computed again when the study is "
                    "run again",
                    StoreWarning,
                    stacklevel=3,
                )
            else:
                yield number, pieces

    def chunks(
        self, manifest: Manifest
    ) -> Iterator[tuple[Path, int, list[tuple[int, Reduced]] | DamagedError]]:
        """Every chunk file, its number, and its pieces or what is wrong with it."""
        known, plan = manifest.chunks(), manifest.hash
        with self._errors():
            paths = self._files()
        for path in paths:
            named = _CHUNK.fullmatch(path.name)
            if named is None:
                continue
            number = int(named[1])
            try:
                if number >= len(known):
                    raise DamagedError("the study has no chunk of this number")
                group, runs = known[number]
                with self._errors():
                    data = path.read_bytes()
                yield path, number, decode(data, plan, number, manifest.outline.groups[group], runs)
            except DamagedError as error:
                yield path, number, error

    # -- files ---------------------------------------------------------------------------

    def _files(self) -> list[Path]:
        return sorted(self.path.iterdir())

    def _chunk(self, number: int) -> Path:
        return self.path / f"chunk-{number:06}.bin"

    def _write_manifests(self, manifest: Manifest) -> None:
        with self._errors():
            for name in _MANIFESTS:
                self._write(self.path / name, _text(manifest))

    def _write(self, path: Path, data: bytes) -> None:
        handle, temporary = tempfile.mkstemp(_PART[1], _PART[0], path.parent)
        try:
            try:
                view = memoryview(data)
                while len(view):
                    view = view[os.write(handle, view) :]
                os.fsync(handle)
            finally:
                os.close(handle)
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        _sync_folder(path.parent)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """One clear error for whatever the file system refuses."""
        try:
            yield
        except StoreError:
            raise
        except OSError as error:
            self._refuse(error)

    def _refuse(self, error: OSError) -> NoReturn:
        remedy = _REMEDIES.get(error.errno or 0, "make it a folder that can be written to")
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = "the disk is full" if full else error.strerror or error
        raise StoreError(f"{self.path}: {what}; {remedy}") from error


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _parsed(text: bytes | None) -> Manifest | None:
    """The manifest, if the text is one to the last byte."""
    try:
        found = json.loads(text or b"")
        body = found["study"]
        manifest = Manifest(body["plan"], Outline.of_json(body["outline"]), body["lengths"])
        return manifest if _text(manifest) == text else None
    except (ValueError, TypeError, KeyError):
        return None


def _text(manifest: Manifest) -> bytes:
    body = manifest.body()
    return (json.dumps({"sha256": _hash(body), "study": body}, indent=1) + "\n").encode()


def _hash(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _free_name(path: Path) -> Path:
    number = 1
    while (name := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    return name


def _sync_folder(path: Path) -> None:
    """Make a rename last; not possible everywhere."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
