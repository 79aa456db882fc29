"""Walk through a tar file header by header: nothing is unpacked, nothing is executed.

The usual readers end silently at a damaged header, a zeroed block or the seam of two joined
archives. This one says where and why it had to stop. It costs a few microseconds per member, so
that indexing is bound by the disk.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = 512  # bytes: tar files are made of these
_NAME_BYTES = 100
_MAX_EXTENSION_BYTES = 1 << 20  # a longer header extension is an attack, not a name
_REGULAR, _FOLDER, _EXTENSIONS = b"0\0007", b"5", b"xgLK"


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
    name, header_size, _ = _parse(header, offset - BLOCK)
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
        name, size, kind = _parse(block, position)
        offset, size = position + BLOCK, int(extension.get("size", size))
        if size < 0:
            raise ValueError(f"the header at byte {position} gives {name!r} a size of {size} bytes")
        if offset + size > end:
            missing = offset + size - end
            raise ValueError(f"cut short: the file ends {missing} bytes before the end of {name!r}")
        if kind in _EXTENSIONS:
            extension |= _extension(descriptor, kind, offset, size)
        else:
            found.members.append(Member(extension.get("path", name), offset, size, _kind(kind)))
            extension = {}
        position = offset + -(-size // BLOCK) * BLOCK
    raise ValueError(f"cut short: the file ends at byte {position} without an end mark")


def _parse(block: bytes, position: int) -> tuple[str, int, bytes]:
    """Return name, size and type of a 512-byte header; ValueError when its checksum is wrong."""
    try:
        promised = int(block[148:156].strip(b" \0"), 8)
        size = _number(block[124:136])
    except ValueError:
        promised, size = -1, 0
    if promised != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        raise ValueError(f"the header at byte {position} is damaged; what follows cannot be read")
    name = block[:_NAME_BYTES].partition(b"\0")[0]
    if block[257:263] == b"ustar\0":  # GNU's own form keeps times where POSIX keeps the prefix
        prefix = block[345:500].partition(b"\0")[0]
        name = prefix + b"/" + name if prefix else name
    return name.decode("utf-8", "replace"), size, block[156:157]


def _number(text: bytes) -> int:
    if text[0] & 0x80:  # base 256, for more than 8 GiB
        return int.from_bytes(text[1:], "big")
    return int(text.strip(b" \0") or b"0", 8)


def _kind(kind: bytes) -> str:
    return "file" if kind in _REGULAR else "folder" if kind in _FOLDER else "link or device"


def _extension(descriptor: int, kind: bytes, offset: int, size: int) -> dict[str, str]:
    """Return the `path` and `size` that a pax or GNU extension gives to the next member."""
    if size > _MAX_EXTENSION_BYTES:
        raise ValueError(f"the header extension at byte {offset} is {size} bytes long; refused")
    content = os.pread(descriptor, size, offset)
    if kind == b"L":
        return {"path": content.rstrip(b"\0").decode("utf-8", "replace")}
    return _pax_records(content, offset) if kind == b"x" else {}


def _pax_records(content: bytes, offset: int) -> dict[str, str]:
    """Parse `<length> <key>=<value>\\n` records; the length counts the whole record."""
    records, position = dict[str, str](), 0
    while position < len(content):
        length, space, _ = content[position : position + 20].partition(b" ")
        if not space or not length.isdigit() or int(length) <= len(length) + 2:
            raise ValueError(f"the header extension at byte {offset} is damaged")
        record = content[position + len(length) + 1 : position + int(length) - 1]
        key, _, value = record.decode("utf-8", "replace").partition("=")
        records[key] = value
        position += int(length)
    return {key: records[key] for key in ("path", "size") if key in records}


def _same_name(header_name: str, member_name: str) -> bool:
    """Compare names, allowing for the short or ASCII spelling that goes with an extension."""
    short = member_name.encode()[:_NAME_BYTES].decode("utf-8", "replace")
    ascii_name = member_name.encode("ascii", "replace")[:_NAME_BYTES].decode()
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
