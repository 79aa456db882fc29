"""The headers of a tar file: 512-byte blocks that name what follows them."""

from __future__ import annotations

BLOCK = 512  # bytes: tar files are made of these
MAX_EXTENSION_BYTES = 1 << 20  # a longer header extension is an attack, not a name
NAME_BYTES = 100
EXTENSIONS = b"xgLK"  # types of the headers that say more about the next member
_REGULAR, _FOLDER = b"0\0007", b"5"


def parse_header(block: bytes, position: int) -> tuple[str, int, bytes]:
    """Return name, size and type of a 512-byte header.

    Raises:
        ValueError: its checksum is wrong; `position` is the byte that the message names.
    """
    try:
        promised = int(block[148:156].strip(b" \0"), 8)
        size = _number(block[124:136])
    except ValueError:
        promised, size = -1, 0
    if promised != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        raise ValueError(f"the header at byte {position} is damaged; what follows cannot be read")
    name = block[:NAME_BYTES].partition(b"\0")[0]
    if block[257:263] == b"ustar\0":  # GNU's own form keeps times where POSIX keeps the prefix
        prefix = block[345:500].partition(b"\0")[0]
        name = prefix + b"/" + name if prefix else name
    return name.decode("utf-8", "replace"), size, block[156:157]


def kind_of(kind: bytes) -> str:
    """Return "file", "folder", or "link or device" for the type in a header."""
    return "file" if kind in _REGULAR else "folder" if kind in _FOLDER else "link or device"


def parse_extension(content: bytes, kind: bytes, offset: int) -> dict[str, str]:
    """Return the `path` and `size` that a pax or GNU extension gives to the next member.

    Raises:
        ValueError: the extension at byte `offset` is damaged.
    """
    if kind == b"L":
        return {"path": content.rstrip(b"\0").decode("utf-8", "replace")}
    return _pax_records(content, offset) if kind == b"x" else {}


def _number(text: bytes) -> int:
    if text[0] & 0x80:  # base 256, for more than 8 GiB
        return int.from_bytes(text[1:], "big")
    return int(text.strip(b" \0") or b"0", 8)


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
