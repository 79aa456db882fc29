"""Read a file, gzipped or plain, as chunks of its plain bytes, and hold gzip to its checksums."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from duovox.data.archive.error import ArchiveError

_CHUNK_BYTES = 1 << 20  # read at once: every chunk waits for Python's lock
_MOST_BYTES = 1 << 22  # of one chunk of plain bytes, however well it was packed
_NUM_AHEAD = 4  # chunks that wait while the reader is busy
_GZIP = b"\x1f\x8b"


class CutShortError(ArchiveError):
    """An archive ends too early; what came before is whole."""


def is_gzip(path: Path) -> bool:
    """Tell whether a file begins as gzip files do."""
    with path.open("rb") as file:
        return file.read(2) == _GZIP


def plain_chunks(path: Path) -> Iterator[bytes]:
    """Yield the plain bytes of a file; a thread reads and unpacks ahead of the caller.

    Raises:
        CutShortError: the gzip file ends before its end.
        ArchiveError: its content does not agree with its checksum.
    """
    with path.open("rb") as file:
        chunks = (
            _gunzip(file, path) if is_gzip(path) else iter(lambda: file.read(_CHUNK_BYTES), b"")
        )
        yield from _ahead(chunks)


def _ahead(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same chunks, taken one after the other by a thread; errors come in their turn."""
    with ThreadPoolExecutor(1) as pool:
        waiting: deque[Future[bytes | None]] = deque()
        for _ in range(_NUM_AHEAD):
            waiting.append(pool.submit(next, chunks, None))
        while (chunk := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, chunks, None))
            yield chunk


def _gunzip(file: BinaryIO, path: Path) -> Iterator[bytes]:
    inflater, is_inside = zlib.decompressobj(wbits=31), False
    while packed := file.read(_CHUNK_BYTES):
        while packed:
            try:
                plain = inflater.decompress(packed, _MOST_BYTES)
            except zlib.error as error:
                raise ArchiveError(_corrupt(path, file.tell(), error)) from None
            if plain:
                yield plain
            packed, is_inside = inflater.unconsumed_tail, True
            if inflater.eof:  # another gzip file may follow, or zeros that fill up a tape
                packed = inflater.unused_data.lstrip(b"\0")
                inflater, is_inside = zlib.decompressobj(wbits=31), bool(packed)
    if is_inside:
        raise CutShortError(
            f"{path} is cut short: it ends after {file.tell()} bytes, within its packed content. "
            "Download the rest and give the same command again; finished shards are kept"
        )


def _corrupt(path: Path, position: int, error: zlib.error) -> str:
    return (
        f"{path} is damaged at or before byte {position} ({error}): download it again and give "
        "the same command again"
    )
