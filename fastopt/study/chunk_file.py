"""A finished chunk as bytes: a checksum, what it belongs to, and its arrays."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastopt.study.outline import Group, spans
from fastopt.study.reduced import Reduced

_MAGIC = b"fastopt chunk 1\n"
_HASHED = len(_MAGIC) + hashlib.sha256().digest_size
_LENGTH = 8


class DamagedError(Exception):
    """These bytes are not the chunk that they should be; the message says why."""


def encode(plan: str, number: int, pieces: Sequence[Reduced]) -> bytes:
    """The reduced pieces of chunk *number* of a plan as bytes; the same for the same pieces."""
    tables = [piece.arrays() for piece in pieces]
    layout = [{name: (a.dtype.str, a.shape) for name, a in table.items()} for table in tables]
    header = json.dumps({"plan": plan, "chunk": number, "pieces": layout}).encode()
    parts = [len(header).to_bytes(_LENGTH, "little"), header]
    parts += [array.tobytes() for table in tables for array in table.values()]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return b"".join([_MAGIC, digest.digest(), *parts])


def decode(
    data: bytes, plan: str, number: int, group: Group, runs: range
) -> list[tuple[int, Reduced]]:
    """Setting and reduced form of each piece.

    Parameters
    ----------
    data : bytes
    plan : str
        The hash of the plan that it should belong to.
    number : int
        Which chunk it should be.
    group : Group
        What its pieces belong to.
    runs : range
        The runs that it should hold.

    Raises
    ------
    DamagedError
        It is anything else.
    """
    if data[: len(_MAGIC)] != _MAGIC:
        raise DamagedError("it is empty" if not data else "it is not a chunk")
    payload = memoryview(data)[_HASHED:]
    if data[len(_MAGIC) : _HASHED] != hashlib.sha256(payload).digest():
        raise DamagedError("its checksum is wrong")
    end = _LENGTH + int.from_bytes(payload[:_LENGTH], "little")
    header = json.loads(bytes(payload[_LENGTH:end]))
    if header["plan"] != plan:
        raise DamagedError("it belongs to another study")
    if header["chunk"] != number:
        raise DamagedError(f"it is chunk {header['chunk']}")
    pieces = []
    for (setting, which), layout in zip(
        spans(runs.start, runs.stop, group.starts), header["pieces"], strict=True
    ):
        arrays: dict[str, Any] = {}
        for name, (dtype, shape) in layout.items():
            count = math.prod(shape)
            array = np.frombuffer(payload, dtype, count, end) if count else np.zeros(0, dtype)
            arrays[name] = array.reshape(shape)
            end += array.nbytes
        piece = Reduced.of_arrays(arrays, group.shape)
        if not piece.accounts_for(len(which), group.shape):
            raise DamagedError(f"it does not account for {len(which):,} runs")
        pieces.append((setting, piece))
    return pieces
