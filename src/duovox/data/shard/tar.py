"""Walk through a tar file header by header: nothing is unpacked, nothing is executed.

The usual readers end silently at a damaged header, a zeroed block or the seam of two joined
archives. This one says where and why it had to stop. It costs a few microseconds per member, so
that indexing is bound by the disk.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from duovox.data.archive.tar_header import (
    BLOCK,
    EXTENSIONS,
    MAX_EXTENSION_BYTES,
    NAME_BYTES,
    kind_of,
    parse_extension,
    parse_header,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A file inside a tar: its name and where its bytes lie."""

    name: str
    offset: int  # of its first content byte; its header is the block before
    size: int  # bytes
    kind: str  # "file", "folder", or "link or device"


@dataclass(slots=True)
class Walk:
    """The whole members of a tar, and what stopped the walk early."""

    members: list[Member] = field(default_factory=list)
    damage: str | None = None


def walk(path: Path) -> Walk:
    """Return every member that can be trusted, and a sentence about any damage."""
    found = Walk()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _collect(descriptor, found)
    except ValueError as error:
        found.damage = str(error)
    finally:
        os.close(descriptor)
    return found


def read_member(descriptor: int, member_name: str, *, offset: int, size: int) -> bytes:
    """Return the content of one member, after checking that it is still what the index says.

    Raises:
        ValueError: the header before `offset` is damaged or names something else, or bytes miss.
    """
    header = os.pread(descriptor, BLOCK, offset - BLOCK)
    content = os.pread(descriptor, size, offset)  # apart, as cutting it off would copy it: 20x
    if len(header) != BLOCK or len(content) != size:
        raise ValueError(f"the file ends within the {size} bytes at byte {offset}")
    name, header_size, _ = parse_header(header, offset - BLOCK)
    if header_size != size or not _same_name(name, member_name):
        raise ValueError(
            f"byte {offset} holds {name!r} of {header_size} bytes, not {member_name!r} of {size}"
        )
    return content


def _collect(descriptor: int, found: Walk) -> None:
    end, position, extension = os.fstat(descriptor).st_size, 0, dict[str, str]()
    if end == 0:
        raise ValueError("the file is empty")
    while block := os.pread(descriptor, BLOCK, position):
        if len(block) < BLOCK:
            raise ValueError(f"cut short: the file ends within a header at byte {position}")
        if not block.strip(b"\0"):
            return _check_rest(descriptor, position, end)
        name, size, kind = parse_header(block, position)
        offset, size = position + BLOCK, int(extension.get("size", size))
        if size < 0:
            raise ValueError(f"the header at byte {position} gives {name!r} a size of {size} bytes")
        if offset + size > end:
            missing = offset + size - end
            raise ValueError(f"cut short: the file ends {missing} bytes before the end of {name!r}")
        if kind in EXTENSIONS:
            extension |= _extension(descriptor, kind, offset, size)
        else:
            found.members.append(Member(extension.get("path", name), offset, size, kind_of(kind)))
            extension = {}
        position = offset + -(-size // BLOCK) * BLOCK
    raise ValueError(f"cut short: the file ends at byte {position} without an end mark")


def _extension(descriptor: int, kind: bytes, offset: int, size: int) -> dict[str, str]:
    """Return the `path` and `size` that a pax or GNU extension gives to the next member."""
    if size > MAX_EXTENSION_BYTES:
        raise ValueError(f"the header extension at byte {offset} is {size} bytes long; refused")
    return parse_extension(os.pread(descriptor, size, offset), kind, offset)


def _same_name(header_name: str, member_name: str) -> bool:
    """Compare names, allowing for the short or ASCII spelling that goes with an extension."""
    short = member_name.encode()[:NAME_BYTES].decode("utf-8", "replace")
    ascii_name = member_name.encode("ascii", "replace")[:NAME_BYTES].decode()
    return header_name in {member_name, short, ascii_name}


def _check_rest(descriptor: int, position: int, end: int) -> None:
    """Refuse content behind the end mark: a zeroed block, or another tar glued on."""
    start = position
    while chunk := os.pread(descriptor, 1 << 20, position):
        if chunk.strip(b"\0"):
            raise ValueError(
                f"an end mark at byte {start}, but {end - start} more bytes with content "
                "behind it: a zeroed block, or several tars joined into one"
            )
        position += len(chunk)
