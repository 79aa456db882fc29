"""Read the files of a .tar or .tar.gz in one pass, from memory to memory.

Nothing is unpacked to a disk. Links, devices, absolute names and names with `..` are refused, each
as a fault. The archive is read to its last byte, so that gzip's checksum has vouched for everything
when the iteration ends without an error. Usual readers end silently at a damaged header or at the
seam of two joined archives; here both are errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from duovox.data.archive.error import ArchiveError
from duovox.data.archive.inflate import CutShortError, plain_chunks
from duovox.data.archive.tar_header import (
    BLOCK,
    EXTENSIONS,
    MAX_EXTENSION_BYTES,
    kind_of,
    parse_extension,
    parse_header,
)
from duovox.data.fault import Fault

_MOST_BYTES = 1 << 28  # of one file that is wanted: hours of speech; more is an attack


@dataclass(frozen=True, slots=True)
class TarredFile:
    """A file of an archive and all its bytes."""

    name: str  # with slashes, without "./" in front
    content: bytes


def read_files(path: Path, wanted: Callable[[str], bool]) -> Iterator[TarredFile | Fault]:
    """Yield the wanted files of an archive in its order, and a fault for each unsafe member.

    Raises:
        CutShortError: the archive ends before its end mark.
        ArchiveError: a header, the packing or a checksum is damaged, or content follows the end.
    """
    stream = _Stream(path)
    extension: dict[str, str] = {}
    while (block := stream.take(BLOCK)).strip(b"\0"):
        name, size, kind = _parse(stream, block)
        size = int(extension.get("size", size))
        if kind in EXTENSIONS:
            extension |= parse_extension(stream.take_extension(size), kind, stream.position)
            continue
        name = extension.get("path", name).removeprefix("./")
        extension = {}
        is_wanted = wanted(name)
        if refusal := _refusal(name, kind_of(kind), size if is_wanted else 0):
            stream.skip(size)
            yield Fault(where=f"{path}:{name}", key="", cause="unsafe name", detail=refusal)
        elif kind_of(kind) == "file" and is_wanted:
            yield TarredFile(name, stream.take(size))
        else:
            stream.skip(size)
        stream.skip(-size % BLOCK)
    stream.check_rest()


def _refusal(name: str, kind: str, size: int) -> str:
    """Return why a member is not safe, else an empty text."""
    if kind == "link or device":
        return "links and devices are refused"
    if name.startswith("/") or ".." in name.split("/"):
        return "absolute paths and '..' are refused"
    if size > _MOST_BYTES:
        return f"{size} bytes are refused, as one file of speech has {_MOST_BYTES} at most"
    return ""


def _parse(stream: _Stream, block: bytes) -> tuple[str, int, bytes]:
    try:
        return parse_header(block, stream.position - BLOCK)
    except ValueError as error:
        raise ArchiveError(f"{stream.path}: {error}; download it again") from None


class _Stream:
    """The plain bytes of an archive, taken piece by piece."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0  # of the next plain byte
        self._chunks = plain_chunks(path)
        self._rest = memoryview(b"")  # of the chunk that was read last

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        return b"".join(self._pieces(size))

    def skip(self, size: int) -> None:
        """Leave out the next `size` bytes."""
        for _ in self._pieces(size):
            pass

    def take_extension(self, size: int) -> bytes:
        """Return the content of a header extension, and leave out what pads it."""
        if size > MAX_EXTENSION_BYTES:
            raise ArchiveError(
                f"{self.path}: the header extension at byte {self.position} is {size} bytes long; "
                "refused"
            )
        content = self.take(size)
        self.skip(-size % BLOCK)
        return content

    def check_rest(self) -> None:
        """Read what is behind the end mark, and refuse it unless it is zeros."""
        end = self.position
        for piece in chain([bytes(self._rest)], self._chunks):
            if piece.strip(b"\0"):
                raise ArchiveError(
                    f"{self.path} has an end mark at byte {end} of its content, and more content "
                    "behind it: several archives joined into one. Download it again"
                )

    def _pieces(self, size: int) -> Iterator[memoryview]:
        while size > 0:
            if not self._rest:
                self._rest = memoryview(next(self._chunks, b""))
            if not self._rest:
                raise CutShortError(
                    f"{self.path} is cut short: its content ends after {self.position} bytes "
                    "without an end mark. Download it again; finished shards are kept"
                )
            piece, self._rest = self._rest[:size], self._rest[size:]
            self.position += len(piece)
            size -= len(piece)
            yield piece
