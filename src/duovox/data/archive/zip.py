"""Read single members of a zip archive that may be cut into parts and hold a million members.

Python's `zipfile` keeps a kilobyte per member, in every process; this reader keeps 100 bytes. It
trusts nothing: names are checked, sizes are limited, checksums compared. Format: PKWARE's
APPNOTE.TXT 6.3, sections 4.3 and 4.5.3.
"""

from __future__ import annotations

import zlib
from array import array
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np

from duovox.data.archive.directory import ZipMember, directory, parse_member
from duovox.data.archive.error import ArchiveError
from duovox.data.archive.joined import JoinedFile

_HEADER_BYTES = 30  # of a member, before its name
_HEADER_MARK = b"PK\3\4"


class ZipArchive:
    """The members of a zip file, or of its parts, by name."""

    def __init__(self, path: Path) -> None:
        """Read the directory at the end of the archive.

        Raises:
            ArchiveError: it is missing, no zip archive, or not whole.
        """
        self.path = path
        self._file = JoinedFile(path)
        self._directory, self.num_members = directory(self._file, path)
        self._places = self._hashes = np.empty(0, dtype=np.uint64)

    def __iter__(self) -> Iterator[ZipMember]:
        """Yield the members in the order of the archive."""
        place = 0
        for _ in range(self.num_members):
            member, place = parse_member(self._directory, place, self.path)
            yield member

    def read(self, name: str) -> bytes:
        """Return the content of a member.

        Raises:
            ArchiveError: there is none of that name, it may not be read, or it is damaged.
        """
        member = self._find(name)
        if member.problem:
            raise ArchiveError(f"{self.path}: {name}: {member.problem}")
        header = self._file.read(member.offset, _HEADER_BYTES)
        if len(header) < _HEADER_BYTES or header[:4] != _HEADER_MARK:
            raise ArchiveError(f"{self.path}: the header of {name} is damaged")
        skipped = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
        packed = self._file.read(member.offset + _HEADER_BYTES + skipped, member.packed_size)
        content = _unpack(packed, member)
        if content is None or zlib.crc32(content) != member.checksum:
            raise ArchiveError(f"{self.path}: {name} is damaged: its checksum is wrong")
        return content

    def _find(self, name: str) -> ZipMember:
        if not len(self._places):
            self._index()
        wanted = np.uint64(zlib.crc32(name.encode()))
        start, stop = np.searchsorted(self._hashes, [wanted, wanted + np.uint64(1)])
        for place in self._places[start:stop]:
            member, _ = parse_member(self._directory, int(place), self.path)
            if member.name == name:
                return member
        raise ArchiveError(f"{self.path} has no member {name}")

    def _index(self) -> None:
        """Sort the places of the members in the directory by the hashes of their names."""
        places, hashes = array("Q"), array("Q")
        place = 0
        for _ in range(self.num_members):
            places.append(place)
            member, place = parse_member(self._directory, place, self.path)
            hashes.append(zlib.crc32(member.name.encode()))
        order = np.argsort(np.array(hashes), kind="stable")  # of one name, the first is found
        self._places = np.array(places)[order]
        self._hashes = np.array(hashes)[order]


def open_zip(path: Path) -> ZipArchive:
    """Return the archive at a path; each process reads its directory once."""
    return _opened(path, path.stat().st_mtime_ns if path.exists() else 0)


@lru_cache(maxsize=8)
def _opened(path: Path, _changed: int) -> ZipArchive:
    return ZipArchive(path)


def _unpack(packed: bytes, member: ZipMember) -> bytes | None:
    """Return the content, and never more of it than was promised; None: it cannot be unpacked."""
    if len(packed) < member.packed_size or not member.is_deflated:
        return packed
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.size + 1)
    except zlib.error:
        return None
