"""PNG files, pixel by pixel: a map has too many for matplotlib's figures."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_ROWS = 256


def write(path: Path, image: NDArray[np.uint8]) -> None:
    """Write *image* (rows, columns, 3), 8 bits a channel."""
    rows, columns, _ = image.shape
    packer = zlib.compressobj(6)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(_chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)))
        for a in range(0, rows, _ROWS):
            some = image[a : a + _ROWS].reshape(-1, 3 * columns)
            lines = np.zeros((len(some), 1 + 3 * columns), np.uint8)
            # Filter 1: differences to the pixel on the left, which are mostly 0.
            lines[:, 0] = 1
            lines[:, 1:4] = some[:, :3]
            lines[:, 4:] = some[:, 3:] - some[:, :-3]
            file.write(_chunk(b"IDAT", packer.compress(lines.tobytes())))
        file.write(_chunk(b"IDAT", packer.flush()))
        file.write(_chunk(b"IEND", b""))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
