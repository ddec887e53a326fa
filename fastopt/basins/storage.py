"""Maps in files: NumPy's ``.npz``, with a version and a check sum, and nothing to execute."""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = 2
Arrays = dict[str, NDArray[Any]]


def write(path: str | os.PathLike[str], kind: str, facts: dict[str, Any], arrays: Arrays) -> None:
    """Write *facts* (for JSON) and *arrays* to *path*, whole or not at all."""
    target = Path(path)
    if target.suffix != ".npz":
        raise ValueError(f"{os.fspath(path)}: must end in .npz")
    header = {"format": f"fastopt {kind}", "version": VERSION, "facts": facts}
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{os.fspath(path)}: there is no folder {target.parent}; make it")
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            own = {"header": text, "digest": _digest(text, arrays)}
            np.savez_compressed(file, **own, **arrays)  # type: ignore[arg-type]
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def read(path: str | os.PathLike[str], kind: str, maker: str) -> tuple[dict[str, Any], Arrays]:
    """Facts and arrays of a file of this *kind*, which *maker* makes."""
    name = os.fspath(path)
    if not zipfile.is_zipfile(path) and Path(path).stat():  # which says what is missing
        raise ValueError(f"{name}: is no {kind}, or damaged (no .npz file); {maker} makes one")
    with open(path, "rb") as stream:
        try:
            with np.load(stream, allow_pickle=False) as file:
                contents = {key: file[key] for key in file.files}
        except Exception as error:  # what a damaged archive raises is not foreseeable
            raise ValueError(
                f"{name}: is no {kind}, or damaged ({error}); make it again with {maker}"
            ) from None
    try:
        text, digest = contents.pop("header"), contents.pop("digest")
        header = json.loads(text.tobytes())
        own = header["format"].removeprefix("fastopt ")
    except (KeyError, ValueError, TypeError, AttributeError):
        raise ValueError(f"{name}: holds no {kind}; its save() writes one") from None
    if own != kind:
        raise ValueError(f"{name}: holds no {kind} but a {own}; its save() writes one")
    if header["version"] != VERSION:
        raise ValueError(
            f"{name}: is a {kind} of version {header['version']}: must be {VERSION}, that of "
            f"this fastopt; make it again with {maker}"
        )
    if not np.array_equal(_digest(text, contents), digest):
        raise ValueError(f"{name}: is damaged (its check sum differs); make it again with {maker}")
    return header["facts"], contents


def _digest(text: NDArray[np.uint8], arrays: Arrays) -> NDArray[np.uint8]:
    """A hash of all that a file holds."""
    digest = hashlib.sha256(text.tobytes())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape};".encode())
        digest.update(array.data)
    return np.frombuffer(digest.digest(), np.uint8)
