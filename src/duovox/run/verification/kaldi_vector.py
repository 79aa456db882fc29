"""Kaldi's vectors: archives in text (`key  [ 0.1 0.2 ]`) or binary, and scp files that point there.

A binary vector is `key`, a space, `\\0B`, its type (`FV ` of float32, `DV ` of float64), `\\4`, its
length as int32, and the numbers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_BINARY = b"\0B"
_TYPES: dict[bytes, str] = {b"FV ": "<f4", b"DV ": "<f8"}

Vector = NDArray[np.float64]


def is_archive(start: bytes) -> bool:
    """Tell whether a file that begins so holds Kaldi's vectors."""
    first, _, rest = start.partition(b" ")
    return b"\n" not in first and rest.lstrip(b" ").startswith((_BINARY, b"["))


def read(path: Path) -> tuple[list[str], Vector]:
    """Return the keys and the vectors (U, E) of an archive or an scp file.

    Raises:
        ValueError: the file has another form, or vectors of different widths.
    """
    found = list(_pointed(path) if path.suffix == ".scp" else _archived(path))
    widths = {len(vector) for _, vector in found}
    if len(widths) > 1:
        raise ValueError(f"{path} has vectors of different widths: {sorted(widths)}")
    return [key for key, _ in found], np.array([vector for _, vector in found])


def _archived(path: Path) -> Iterator[tuple[str, Vector]]:
    with path.open("rb") as file:
        while key := _key(file):
            yield key, _vector(file, f"{path}, {key}")


def _pointed(path: Path) -> Iterator[tuple[str, Vector]]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        key, _, place = line.strip().partition(" ")
        archive, _, offset = place.strip().rpartition(":")
        if not archive or not offset.isdecimal():
            raise ValueError(f"{path}, line {number} must read `key archive:offset`, got {line!r}")
        with Path(archive).open("rb") as file:
            file.seek(int(offset))
            yield key, _vector(file, f"{archive}, {key}")


def _key(file: BufferedReader) -> str:
    """Return the name in front of the next vector, or "" at the end."""
    letters = bytearray()
    while (letter := file.read(1)) not in (b" ", b""):
        letters += letter
    return letters.decode().strip()


def _vector(file: BufferedReader, place: str) -> Vector:
    start = file.read(2)
    if start != _BINARY:
        return _text_vector(start + file.readline(), place)
    kind = file.read(3)
    if kind not in _TYPES:
        raise ValueError(f"{place}: only vectors can be read (FV, DV), got type {kind!r}")
    size, length = struct.unpack("<bi", file.read(5))
    dtype = np.dtype(_TYPES[kind])
    content = file.read(length * dtype.itemsize)
    if size != 4 or len(content) < length * dtype.itemsize:
        raise ValueError(f"{place}: the vector is cut short; restore the file")
    return np.array(np.frombuffer(content, dtype), np.float64)


def _text_vector(line: bytes, place: str) -> Vector:
    words = line.split()
    try:
        if words[0] != b"[" or words[-1] != b"]":
            raise ValueError
        return np.array(words[1:-1], np.float64)
    except (ValueError, IndexError):
        raise ValueError(
            f"{place}: a vector must read `[ 0.1 0.2 ]` in one line, got {line[:60]!r}"
        ) from None
