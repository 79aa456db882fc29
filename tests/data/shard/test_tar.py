"""The walk finds what Python's tarfile finds, in every dialect of the format."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from duovox.data.shard.tar import BLOCK, read_member, walk

DIALECTS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
LONG = f"{'a' * 90}/{'b' * 90}/{'c' * 90}.wav"
NAMES = ["a.wav", "s/t/a.json", "ünï/cödé.wav"]


def write(path: Path, names: list[str], dialect: int, mtime: float = 0) -> Path:
    """Write a member per name; its content repeats the name."""
    with tarfile.open(path, "w", format=dialect) as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            content = name.encode() * 40
            member.size, member.mtime = len(content), mtime
            tar.addfile(member, io.BytesIO(content))
    return path


def read_all(path: Path) -> list[tuple[str, bytes]]:
    walked = walk(path)
    assert walked.damage is None
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return [
            (m.name, read_member(descriptor, m.name, offset=m.offset, size=m.size))
            for m in walked.members
        ]
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("mtime", [0, 1.5])  # a fraction makes pax write an extension
def test_all_dialects_are_read(dialect, mtime, tmp_path: Path):
    names = NAMES if dialect == tarfile.USTAR_FORMAT else [*NAMES, LONG, f"ü{LONG}", *NAMES[:1]]
    path = write(tmp_path / "a.tar", names, dialect, mtime if dialect == DIALECTS[2] else 0)
    assert read_all(path) == [(name, name.encode() * 40) for name in names]


@given(sizes=st.lists(st.integers(0, 3 * BLOCK), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_offsets_and_sizes_are_those_of_tarfile(sizes, tmp_path: Path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for number, size in enumerate(sizes):
            member = tarfile.TarInfo(f"{number}")
            member.size = size
            tar.addfile(member, io.BytesIO(bytes(size)))
    with tarfile.open(tmp_path / "a.tar") as tar:
        expected = [(member.name, member.offset_data, member.size) for member in tar]
    walked = walk(tmp_path / "a.tar")
    assert walked.damage is None
    assert [(m.name, m.offset, m.size) for m in walked.members] == expected


def test_sizes_beyond_eight_gigabytes_are_read(tmp_path: Path):
    member = tarfile.TarInfo("huge")
    member.size = 9 << 30
    header = member.tobuf(tarfile.GNU_FORMAT)
    (tmp_path / "a.tar").write_bytes(header)
    assert f"ends {9 << 30} bytes before the end of 'huge'" in str(walk(tmp_path / "a.tar").damage)


@given(place=st.integers(0, BLOCK - 1), change=st.integers(1, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_changed_byte_of_a_header_passes_unnoticed(place, change, tmp_path: Path):
    assume(not 148 <= place < 156)  # the checksum itself may be written in several ways
    path = write(tmp_path / "a.tar", ["s/t/a.wav"], tarfile.USTAR_FORMAT)
    content = bytearray(path.read_bytes())
    content[place] = (content[place] + change) % 256
    path.write_bytes(content)
    assert "the header at byte 0 is damaged" in str(walk(path).damage)


def test_a_negative_size_does_not_loop_forever(tmp_path: Path):
    path = write(tmp_path / "a.tar", ["a"], tarfile.USTAR_FORMAT)
    content = bytearray(path.read_bytes())
    content[124:136] = b"-0000000512\0"
    content[148:156] = b" " * 8
    content[148:155] = f"{sum(content[:BLOCK]):06o}\0".encode()
    path.write_bytes(content)
    assert "a size of -" in str(walk(path).damage)


def test_an_extension_that_lies_about_its_length_is_damage(tmp_path: Path):
    path = write(tmp_path / "a.tar", [f"ü{LONG}"], tarfile.PAX_FORMAT)
    content = path.read_bytes()
    path.write_bytes(content[:BLOCK] + b"000" + content[BLOCK + 3 :])
    assert "header extension at byte 512 is damaged" in str(walk(path).damage)


def test_folders_and_links_are_told_apart(tmp_path: Path):
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, kind in {
            "d": tarfile.DIRTYPE,
            "l": tarfile.LNKTYPE,
            "f": tarfile.REGTYPE,
        }.items():
            member = tarfile.TarInfo(name)
            member.type = kind
            tar.addfile(member)
    kinds = [member.kind for member in walk(tmp_path / "a.tar").members]
    assert kinds == ["folder", "link or device", "file"]


@pytest.mark.parametrize("shift", [-BLOCK, BLOCK, 3])
def test_reading_at_a_wrong_offset_is_refused(shift, tmp_path: Path):
    path = write(tmp_path / "a.tar", NAMES, tarfile.USTAR_FORMAT)
    member = walk(path).members[1]
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with pytest.raises(ValueError, match=r"is damaged|holds|ends within"):
            read_member(descriptor, member.name, offset=member.offset + shift, size=member.size)
    finally:
        os.close(descriptor)
