"""One process at a time in a folder; a process that dies, however it does, leaves it free."""

from __future__ import annotations

import errno
import os
import socket
import threading
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_held: set[str] = set()
_guard = threading.Lock()


class LockedError(Exception):
    """Somebody else is in there; the message says who."""


class Lock:
    """Held from its making to :meth:`release`; the file says who holds it.

    The lock is the process's own: its children do not have it, so that a worker that outlives
    the process does not keep the folder shut. Within a process a list does the same.

    Raises
    ------
    LockedError
        Another holds it.
    OSError
        The file cannot be written.
    """

    def __init__(self, path: Path):
        self._name = os.path.realpath(path)
        with _guard:
            if self._name in _held:
                raise LockedError("this process")
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                _take(handle)
                who = f"process {os.getpid()} on {socket.gethostname()}"
                os.ftruncate(handle, 0)
                os.write(handle, who.encode())
            except BaseException as error:
                holder = _holder(handle) if isinstance(error, BlockingIOError) else None
                os.close(handle)
                if holder is not None:
                    raise LockedError(holder) from None
                raise
            self._handle: int | None = handle
            _held.add(self._name)

    def release(self) -> None:
        """Let others in."""
        with _guard:
            if self._handle is not None:
                os.close(self._handle)  # which unlocks
                self._handle = None
                _held.discard(self._name)


# On Windows a locked byte cannot be read by others, so it is not one of the text.
_FAR = 1 << 30


def _take(handle: int) -> None:
    if fcntl is not None:
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise BlockingIOError from None
            raise
        return
    import msvcrt

    windows: Any = msvcrt
    os.lseek(handle, _FAR, os.SEEK_SET)
    try:
        windows.locking(handle, windows.LK_NBLCK, 1)
    except OSError:
        raise BlockingIOError from None
    os.lseek(handle, 0, os.SEEK_SET)


def _holder(handle: int) -> str:
    os.lseek(handle, 0, os.SEEK_SET)
    return os.read(handle, 200).decode(errors="replace") or "another process"
