"""Read a file, gzipped or plain, as chunks of its plain bytes, and hold gzip to its checksums."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from isal import igzip, isal_zlib

from duovox.data.archive.error import ArchiveError

_CHUNK_BYTES = 1 << 20  # plain ones, at once: every chunk waits for Python's lock
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
    """Yield what one gzip file holds, or several in a row; zeros may fill up a tape behind them."""
    with igzip.IGzipFile(fileobj=file) as unpacked:  # type: ignore[no-untyped-call]
        try:
            while chunk := unpacked.read1(_CHUNK_BYTES):
                yield chunk
        except EOFError:
            raise CutShortError(
                f"{path} is cut short: it ends after {file.tell()} bytes, within its packed "
                "content. Download the rest and give the same command again; finished shards are "
                "kept"
            ) from None
        except (igzip.BadGzipFile, isal_zlib.error) as error:  # type: ignore[misc]  # its stub
            raise ArchiveError(
                f"{path} is damaged at or before byte {file.tell()} ({error}): download it again "
                "and give the same command again"
            ) from None
