"""Single members of zip archives come out whole, or with a sentence that says why not."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest

from duovox.data.archive import directory
from duovox.data.archive.error import ArchiveError
from duovox.data.archive.zip import ZipArchive, open_zip

NAMES = [f"wav/id1000{n % 3}/vid-{n}/0000{n % 7}.wav" for n in range(40)]


def content(name: str) -> bytes:
    """Return bytes of which half can be packed."""
    noise = np.random.default_rng(list(name.encode())).integers(0, 256, 700, dtype=np.uint8)
    return noise.tobytes() + b"\0" * 700


@pytest.fixture(params=[zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a zip file that Python's own library wrote."""
    path = tmp_path / "vox1_dev_wav.zip"
    with zipfile.ZipFile(path, "w", request.param) as file:
        for name in NAMES:
            file.writestr(name, content(name))
    return path


def write(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


def cut(path: Path, *sizes: int) -> Path:
    """Cut a file into parts of these sizes and the rest; return the first part."""
    data, start = path.read_bytes(), 0
    for number, size in enumerate([*sizes, len(path.read_bytes())]):
        part = path.with_name(f"{path.stem}_parta{chr(ord('a') + number)}")
        part.write_bytes(data[start : start + size])
        start += size
    path.unlink()
    return path.with_name(f"{path.stem}_partaa")


def test_every_member_is_found_and_has_its_bytes(archive: Path):
    opened = ZipArchive(archive)
    assert [member.name for member in opened] == NAMES
    assert {member.problem for member in opened} == {""}
    for name in reversed(NAMES):
        assert opened.read(name) == content(name)


@pytest.mark.parametrize("sizes", [(1000,), (17, 0, 30_000), (1, 1, 1)])
def test_the_parts_of_a_download_need_no_joining(archive: Path, sizes: tuple[int, ...]):
    first = cut(archive, *sizes)
    for part in (first, first.with_name(first.name[:-1] + "b")):
        opened = ZipArchive(part)
        assert [opened.read(name) for name in NAMES] == [content(name) for name in NAMES]


def test_a_missing_part_is_named(archive: Path):
    first = cut(archive, 1000, 1000)
    first.with_name("vox1_dev_wav_partab").unlink()
    with pytest.raises(ArchiveError, match="lacks the part vox1_dev_wav_partab"):
        ZipArchive(first)
    first.with_name("vox1_dev_wav_partac").unlink()
    with pytest.raises(ArchiveError, match="cut short"):
        ZipArchive(first)


@pytest.mark.parametrize("missing", [1, 21, 500, 5000])
def test_a_truncated_archive_is_refused(archive: Path, missing: int):
    os.truncate(archive, archive.stat().st_size - missing)
    with pytest.raises(ArchiveError, match="cut short"):
        ZipArchive(archive)


def test_bytes_that_miss_within_are_noticed(archive: Path):
    data = archive.read_bytes()
    archive.write_bytes(data[:1000] + data[1100:])
    with pytest.raises(ArchiveError, match="not whole"):
        ZipArchive(archive)


def test_another_file_is_no_zip(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(b"<html>not found</html>")
    with pytest.raises(ArchiveError, match="no zip archive"):
        ZipArchive(tmp_path / "a.zip")
    with pytest.raises(ArchiveError, match="there is no archive"):
        ZipArchive(tmp_path / "b.zip")


def test_a_damaged_member_is_refused_and_the_others_are_read(archive: Path):
    members = list(ZipArchive(archive))
    data = bytearray(archive.read_bytes())
    data[members[5].offset + 200] ^= 1
    archive.write_bytes(data)
    opened = ZipArchive(archive)
    with pytest.raises(ArchiveError, match=r"00005\.wav is damaged"):
        opened.read(NAMES[5])
    assert opened.read(NAMES[6]) == content(NAMES[6])


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../../x.wav", "a/../../x.wav", "C:\\x.wav", "..\\x.wav", "\\x.wav"]
)
def test_names_that_lead_out_are_refused(name: str, tmp_path: Path):
    archive = ZipArchive(write(tmp_path / "a.zip", (name, b"x"), ("good.wav", b"y")))
    assert ["refused" in member.problem for member in archive] == [True, False]
    with pytest.raises(ArchiveError, match="refused"):
        archive.read(name)


def test_links_and_devices_are_refused(tmp_path: Path):
    link = zipfile.ZipInfo("link.wav")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    archive = ZipArchive(write(tmp_path / "a.zip", (link, b"/etc/passwd")))
    with pytest.raises(ArchiveError, match="link or a device"):
        archive.read("link.wav")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = write(tmp_path / "a.zip", ("big.wav", b"\0" * 10_000))
    monkeypatch.setattr(directory, "_MAX_BYTES", 9_999)
    with pytest.raises(ArchiveError, match="10000 bytes, 9999 are allowed"):
        ZipArchive(path).read("big.wav")
    monkeypatch.undo()
    data = path.read_bytes()  # a member that unpacks to more than it promises
    promised = (10_000).to_bytes(4, "little")
    path.write_bytes(data.replace(promised, (10).to_bytes(4, "little")))
    with pytest.raises(ArchiveError, match="damaged"):
        ZipArchive(path).read("big.wav")


def test_archives_of_64_bit_numbers_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name in NAMES:
            file.writestr(name, content(name))
    assert b"PK\6\6" in path.read_bytes()
    opened = ZipArchive(path)
    assert [opened.read(name) for name in NAMES] == [content(name) for name in NAMES]


@pytest.mark.parametrize("name", ["a b'$(x);.wav", "ünïcode.wav"])
def test_odd_names_are_only_names(name: str, tmp_path: Path):
    assert ZipArchive(write(tmp_path / "a.zip", (name, b"x"))).read(name) == b"x"


def test_a_missing_member_is_named(archive: Path):
    with pytest.raises(ArchiveError, match=r"has no member other\.wav"):
        ZipArchive(archive).read("other.wav")


def test_a_process_reads_the_directory_once_unless_the_file_changes(tmp_path: Path):
    path = write(tmp_path / "a.zip", ("a.wav", b"1"))
    assert open_zip(path) is open_zip(path)
    write(path, ("b.wav", b"2"))
    os.utime(path, ns=(0, 12345))
    assert open_zip(path).read("b.wav") == b"2"
