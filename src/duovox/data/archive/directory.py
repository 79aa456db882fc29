"""Parse the directory at the end of a zip archive."""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from duovox.data.archive.error import ArchiveError
from duovox.data.archive.joined import JoinedFile

_END = struct.Struct("<4s4H2LH")  # the last record, before the comment
_END_MARK, _MAX_COMMENT = b"PK\5\6", 65_535
_LOCATOR = struct.Struct("<4sLQL")  # of the record that follows, in archives beyond 4 GiB
_BIG_END, _BIG_END_MARK = struct.Struct("<4sQ2H2L4Q"), b"PK\6\6"
_ENTRY, _ENTRY_MARK = struct.Struct("<4s2B5H3L5H2L"), b"PK\1\2"
_BIG = 0xFFFFFFFF  # stands for a number that a 64-bit field holds
_STORED, _DEFLATED, _UNIX = 0, 8, 3
_IS_ENCRYPTED, _IS_UTF8 = 0x1, 0x800
_MAX_BYTES = 1 << 30  # of a member: ten hours of speech


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One entry of the directory."""

    name: str
    offset: int  # of its header
    packed_size: int  # bytes in the archive
    size: int  # bytes, unpacked
    checksum: int  # CRC-32 of the content
    is_deflated: bool
    problem: str  # why it may not be read; empty: it may


def directory(file: JoinedFile, path: Path) -> tuple[bytes, int]:
    """Return the raw directory of an archive and the number of its entries."""
    tail_start = max(0, file.size - _END.size - _MAX_COMMENT)
    tail = file.read(tail_start, _END.size + _MAX_COMMENT)
    found = tail.rfind(_END_MARK)
    if found < 0 or found + _END.size > len(tail):
        _refuse_start(file, path)
        raise ArchiveError(
            f"{path} is cut short: the directory at the end of a zip archive is missing, the file "
            f"ends after {file.size} bytes{_parts(file)}; download it anew, or go on with it"
        )
    end = tail_start + found
    *_, number, size, start, _ = _END.unpack_from(tail, found)
    locator = file.read(max(0, end - _LOCATOR.size), _LOCATOR.size)
    if locator[:4] == b"PK\6\7":
        end = _LOCATOR.unpack(locator)[2]
        record = file.read(end, _BIG_END.size)
        if record[:4] != _BIG_END_MARK:
            raise _shifted(file, path)
        number, size, start = _BIG_END.unpack(record)[-3:]
    content = file.read(start, size)
    if start + size != end or (number and content[:4] != _ENTRY_MARK):
        raise _shifted(file, path)
    return content, number


def parse_member(content: bytes, place: int, path: Path) -> tuple[ZipMember, int]:
    """Return the entry at a place of the directory, and the place of the next one."""
    try:
        fields = _ENTRY.unpack_from(content, place)
    except struct.error:
        fields = (b"",)
    if fields[0] != _ENTRY_MARK:
        raise ArchiveError(f"the directory of {path} is damaged {place} bytes after its beginning")
    (_, _, system, _, flags, method, _, _, checksum, packed_size, size, *lengths) = fields[:14]
    attributes, offset = fields[-2:]
    name_end = place + _ENTRY.size + lengths[0]
    extra_end = name_end + lengths[1]
    name = content[place + _ENTRY.size : name_end].decode(
        "utf-8" if flags & _IS_UTF8 else "cp437", "replace"
    )
    if _BIG in (packed_size, size, offset):
        extra = content[name_end:extra_end]
        size, packed_size, offset = _big_numbers(extra, size, packed_size, offset)
    mode = attributes >> 16 if system == _UNIX else 0
    member = ZipMember(
        name=name,
        offset=offset,
        packed_size=packed_size,
        size=size,
        checksum=checksum,
        is_deflated=method == _DEFLATED,
        problem=_problem(name, flags, method, mode) or _bomb(size, packed_size),
    )
    return member, extra_end + lengths[2]


def _problem(name: str, flags: int, method: int, mode: int) -> str:
    if name_problem := unsafe_name(name):
        return name_problem
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device, not a file"
    if flags & _IS_ENCRYPTED:
        return "is encrypted"
    if method not in (_STORED, _DEFLATED):
        return f"is packed with method {method}; only 0 (stored) and 8 (deflated) are read"
    return ""


def unsafe_name(name: str) -> str:
    """Say why a name could lead out of a folder; empty: it can't."""
    windows = PureWindowsPath(name)  # understands both slashes, and drives
    if not name or "\0" in name or windows.anchor or ".." in windows.parts:
        return "absolute names, drives and '..' are refused"
    return ""


def _bomb(size: int, packed_size: int) -> str:
    if max(size, packed_size) > _MAX_BYTES:
        return f"has {size} bytes, {_MAX_BYTES} are allowed"
    return ""


def _big_numbers(extra: bytes, *numbers: int) -> tuple[int, ...]:
    """Replace the numbers that are too big for their fields by those of the zip64 extra field."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == 1:
            field = extra[place + 4 : place + 4 + length]
            big = iter(struct.unpack(f"<{len(field) // 8}Q", field[: len(field) // 8 * 8]))
            return tuple(next(big, number) if number == _BIG else number for number in numbers)
        place += 4 + length
    return numbers


def _refuse_start(file: JoinedFile, path: Path) -> None:
    if file.read(0, 2) != b"PK":
        raise ArchiveError(f"{path} is no zip archive: it does not begin with PK")


def _shifted(file: JoinedFile, path: Path) -> ArchiveError:
    return ArchiveError(
        f"{path} is not whole: its directory does not lie where its end says, so bytes are missing "
        f"or were added within its {file.size} bytes{_parts(file)}; download it anew"
    )


def _parts(file: JoinedFile) -> str:
    if len(file.parts) == 1:
        return ""
    return f" in {len(file.parts)} parts, the last of them {file.parts[-1].name}"
