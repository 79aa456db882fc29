"""Read a file, or the parts into which it was cut for download, as one run of bytes."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from itertools import accumulate
from pathlib import Path
from string import ascii_lowercase

from duovox.data.archive.error import ArchiveError

_PART = re.compile(r"(?P<stem>.+_part)(?P<letters>[a-z]{2})")


def is_part(path: Path) -> bool:
    """Tell whether a file is named like a part: `vox2_dev_aac_partab`."""
    return _PART.fullmatch(path.name) is not None


def parts_of(path: Path) -> tuple[Path, ...]:
    """Return all parts of a cut file, whichever of them is given, or the one file.

    Raises:
        ArchiveError: there is no such file, or a part before the last one is missing.
    """
    match = _PART.fullmatch(path.name)
    if not match:
        if not path.is_file():
            raise ArchiveError(f"there is no archive {path}")
        return (path,)
    found = sorted(path.parent.glob(f"{match['stem']}[a-z][a-z]"))
    names = [f"{match['stem']}{a}{b}" for a in ascii_lowercase for b in ascii_lowercase]
    missing = sorted(set(names[: len(found)]) - {part.name for part in found})
    if missing or not found:
        raise ArchiveError(
            f"{path.parent} lacks the part {(missing or [path.name])[0]}, it has "
            f"{', '.join(part.name for part in found) or 'none'}: download the parts that miss"
        )
    return tuple(found)


class JoinedFile:
    """Random access to the bytes of one file or of several in a row; safe between threads."""

    def __init__(self, path: Path) -> None:
        self.parts = parts_of(path)
        sizes = [part.stat().st_size for part in self.parts]
        self.size = sum(sizes)
        self._starts = [0, *accumulate(sizes)][:-1]
        self._descriptors = [os.open(part, os.O_RDONLY) for part in self.parts]

    def read(self, offset: int, size: int) -> bytes:
        """Return the bytes from `offset` on; fewer than `size` at the end."""
        found = bytearray()
        number = bisect_right(self._starts, offset) - 1
        while len(found) < size and number < len(self._starts):
            place = offset + len(found) - self._starts[number]
            piece = os.pread(self._descriptors[number], size - len(found), place)
            found += piece
            number += not piece  # a part may need several reads
        return bytes(found)

    def __del__(self) -> None:
        for descriptor in getattr(self, "_descriptors", ()):
            os.close(descriptor)
