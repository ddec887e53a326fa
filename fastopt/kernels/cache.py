"""Machine code on disk: a second process compiles nothing, an edited source never runs stale.

Numba's own ``cache=True`` can do neither here: it never hits for closures over functions,
and its stamp is the one file that a function stands in, so it runs stale code when a callee
in another file was edited. An entry here is one file, named after what it was made from
(:func:`fastopt.kernels.compile.fingerprint`), the signature, and the processor.

What is in the folder is executed, so it must be the user's own (mode 0700).
"""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

_SUFFIX = ".machine"
# Edits leave entries of older sources behind; this many of one label are kept.
_KEPT_PER_LABEL = 16


class CacheWarning(UserWarning):
    """Machine code could not be kept on disk; it will be compiled again next time."""


def folder() -> Path:
    """The cache folder: ``$FASTOPT_CACHE_DIR``, else the platform's place for caches."""
    chosen = os.environ.get("FASTOPT_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    home = Path(os.path.expanduser("~"))  # unlike Path.home(), always an answer
    if sys.platform == "darwin":
        base = home / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "fastopt"


def entries() -> list[tuple[str, int]]:
    """What is compiled: (label, bytes) of every entry in the folder, by label."""
    try:
        files = sorted(folder().glob(f"*{_SUFFIX}"))
        return [(file.name.split(".")[0], file.stat().st_size) for file in files]
    except OSError:
        return []


def open_cache(
    label: str, stamp: str, sources: Iterable[Any], unknown: str | None = None
) -> _Store:
    """The store that a numba dispatcher asks for the entry *label*, made from *stamp*.

    Nothing is kept of a source without a file, nor where something *unknown* is used.
    """
    sources = list(sources)
    for source in sources:
        if not _has_source_file(source):
            unknown = "it is not defined in a file (a notebook, python -c)"
            name = label if "<lambda>" in source.__qualname__ else source.__qualname__
            return _Store(label, stamp, f"{name}: {unknown}")
    name = sources[0].__qualname__ if sources else label
    return _Store(label, stamp, unknown and f"{name}: {unknown}")


def _has_source_file(source: Any) -> bool:
    file = getattr(sys.modules.get(source.__module__), "__file__", None)
    return file is not None and os.path.isfile(file)


class _Store:
    """The two methods of numba's cache interface, for one entry."""

    def __init__(self, label: str, stamp: str, homeless: str | None):
        self._label = label
        self._stamp = stamp
        self._homeless = homeless
        self._said: Callable[[], None] | None = None

    @contextmanager
    def announced(self) -> Iterator[None]:
        """Around a compilation: takes back the line that said that it goes on."""
        try:
            yield
        finally:
            if self._said:
                self._said()

    def load_overload(self, signature: Any, target: Any) -> CompileResult | None:
        target.refresh()
        if self._homeless is None:
            payload = _read(self._path(signature, target))
            if payload is not None:
                try:
                    return CompileResult._rebuild(target, *pickle.loads(payload))
                except Exception:
                    pass  # written by another numba: compile, and write it anew
        self._said = _say_compiling(self._label)
        return None

    def save_overload(self, signature: Any, result: Any) -> None:
        if self._homeless is not None:
            _notice(
                f"{self._homeless}; its machine code is not kept on disk and is compiled again "
                "in the next session"
            )
            return
        path = self._path(signature, result.target_context)
        try:
            _write(path, dumps(result._reduce()))
            _forget_old(path, self._label)
        except OSError as error:
            _notice(
                f"cannot write to the cache folder {path.parent} ({error.strerror or error}): "
                "machine code is compiled again in the next session; set FASTOPT_CACHE_DIR "
                "to a folder of your own that can be written to"
            )

    def _path(self, signature: Any, target: Any) -> Path:
        # The number of threads is no matter to code that starts none.
        names = [k for k in os.environ if k.startswith("NUMBA_") and k != "NUMBA_NUM_THREADS"]
        options = [(name, os.environ[name]) for name in sorted(names)]
        codegen = target.codegen().magic_tuple()
        made_for = (self._stamp, str(signature), codegen, options, sys.version_info)
        digest = hashlib.sha256(repr(made_for).encode()).hexdigest()
        return folder() / f"{self._label}.{digest[:24]}{_SUFFIX}"


def _read(path: Path) -> bytes | None:
    try:
        _check_private(path.parent)
        data = path.read_bytes()
    except OSError:
        return None
    checksum, payload = data[:32], data[32:]
    if hashlib.sha256(payload).digest() != checksum:
        return None  # cut short or damaged: compile, and write it anew
    return payload


def _write(path: Path, payload: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _check_private(path.parent)
    if not path.parent.stat().st_mode & stat.S_IWUSR:
        raise PermissionError(0, "the folder is read-only")  # root could write all the same
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(payload).digest() + payload)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _check_private(path: Path) -> None:
    """Refuse a folder in which somebody else could have put machine code."""
    if not hasattr(os, "getuid"):
        return
    status = path.stat()
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(0, "other users can write to it")


def _forget_old(written: Path, label: str) -> None:
    files = [file for file in written.parent.glob(f"{label}.*{_SUFFIX}") if file != written]
    files.sort(key=_age)
    for file in files[_KEPT_PER_LABEL - 1 :]:
        file.unlink(missing_ok=True)


def _age(file: Path) -> float:
    try:
        return -file.stat().st_mtime
    except FileNotFoundError:  # another process was quicker
        return 0.0


_noticed: set[str] = set()


def _notice(text: str) -> None:
    """Warn once of a cause: the same folder would be complained of for every pair."""
    kind = text.partition("(")[0].rpartition(":")[2]
    if kind not in _noticed:
        _noticed.add(kind)
        warnings.warn(text, CacheWarning, stacklevel=2)


def _say_compiling(label: str) -> Callable[[], None] | None:
    """Say on a terminal what is being waited for; returns what takes the line back."""
    if not (sys.stderr and sys.stderr.isatty()):
        return None
    text = f"fastopt: compiling {label} (first use)"
    print(text, end="", file=sys.stderr, flush=True)
    return lambda: print("\r" + " " * len(text) + "\r", end="", file=sys.stderr, flush=True)
