"""Look into WAV headers for what libsndfile does not say: that the file was cut short."""

from __future__ import annotations

import os
from typing import BinaryIO

_UNKNOWN_SIZES = (0, 0x7FFFF000, 0x7FFFFFFF, 0xFFFFFFFF)  # written by programs that stream


def missing_bytes(stream: BinaryIO) -> int:
    """Return how many bytes the stream lacks of what its RIFF header promises, else 0."""
    end = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    head = stream.read(12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return 0
    position = 12
    while len(chunk := stream.read(8)) == 8:
        size = int.from_bytes(chunk[4:], "little")
        position += 8 + size + size % 2  # chunks are padded to even sizes
        if chunk[:4] == b"data":
            return 0 if size in _UNKNOWN_SIZES else max(0, position - size % 2 - end)
        stream.seek(position)
    return 0
