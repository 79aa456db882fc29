"""Archives are read in one pass, safely, and no damage goes unseen."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from duovox.data.archive.error import ArchiveError
from duovox.data.archive.inflate import CutShortError
from duovox.data.archive.tar_stream import TarredFile, read_files
from duovox.data.fault import Fault

NOISE = np.random.default_rng(0).bytes(700_000)  # several chunks, and gzip cannot pack it
FILES = {
    "a/one.flac": NOISE,
    "a/empty.txt": b"",
    f"{'deep/' * 30}{'n' * 120}.flac": b"long name",
    "ü/two words.txt": "wörd".encode(),
    "a/block": b"x" * 512,
}


def pack(path: Path, *, mode: str = "w:gz", form: int = tarfile.GNU_FORMAT) -> Path:
    with tarfile.open(path, mode, format=form) as tar:
        tar.addfile(folder("a"))
        for name, content in FILES.items():
            add(tar, f"./{name}", content)
    return path


def folder(name: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE
    return info


def add(tar: tarfile.TarFile, name: str, content: bytes = b"") -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    tar.addfile(info, io.BytesIO(content))


def everything(name: str) -> bool:
    return True


@pytest.mark.parametrize("mode", ["w:gz", "w"])
@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_all_files_of_any_form_arrive_in_order(mode: str, form: int, tmp_path: Path) -> None:
    path = pack(tmp_path / "x.tar.gz", mode=mode, form=form)
    assert list(read_files(path, everything)) == [TarredFile(*item) for item in FILES.items()]


def test_only_what_is_wanted_arrives(tmp_path: Path) -> None:
    path = pack(tmp_path / "x.tar.gz")
    files = list(read_files(path, lambda name: name.endswith(".txt")))
    assert files == [TarredFile("a/empty.txt", b""), TarredFile("ü/two words.txt", "wörd".encode())]


def test_joined_gzip_files_are_one(tmp_path: Path) -> None:
    plain = pack(tmp_path / "x.tar", mode="w").read_bytes()
    packed = gzip.compress(plain[:300_001]) + gzip.compress(plain[300_001:]) + bytes(512)
    (tmp_path / "x.tar.gz").write_bytes(packed)
    assert len(list(read_files(tmp_path / "x.tar.gz", everything))) == len(FILES)


UNSAFE = ["/etc/passwd", "../outside", "a/../../outside", "./../outside"]


@pytest.mark.parametrize("name", UNSAFE)
def test_a_name_that_leads_outside_is_a_fault(name: str, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        add(tar, name, b"evil")
        add(tar, "good", b"fine")
    fault, good = read_files(tmp_path / "x.tar.gz", everything)
    assert isinstance(fault, Fault)
    assert fault.cause == "unsafe name"
    assert name.removeprefix("./") in fault.where
    assert good == TarredFile("good", b"fine")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
)
def test_a_link_or_device_is_a_fault(kind: bytes, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        info = tarfile.TarInfo("a.flac")
        info.type, info.linkname = kind, "/etc/passwd"
        tar.addfile(info)
        add(tar, "good", b"fine")
    fault, good = read_files(tmp_path / "x.tar", everything)
    assert "links and devices" in str(fault)
    assert good == TarredFile("good", b"fine")


def test_a_file_that_would_fill_the_memory_is_a_fault(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("duovox.data.archive.tar_stream._MOST_BYTES", 1000)
    faults = [x for x in read_files(pack(tmp_path / "x.tar.gz"), everything) if type(x) is Fault]
    assert [fault.where for fault in faults] == [f"{tmp_path / 'x.tar.gz'}:a/one.flac"]


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9, 0.9999])
def test_a_gzip_file_that_ends_early_is_cut_short(share: float, tmp_path: Path) -> None:
    content = pack(tmp_path / "x.tar.gz").read_bytes()
    (tmp_path / "x.tar.gz").write_bytes(content[: int(share * len(content))])
    with pytest.raises(CutShortError, match=r"cut short.*Download"):
        list(read_files(tmp_path / "x.tar.gz", everything))


@pytest.mark.parametrize("size", [0, 100, 512, 300_000])
def test_a_tar_without_its_end_mark_is_cut_short(size: int, tmp_path: Path) -> None:
    content = pack(tmp_path / "x.tar", mode="w").read_bytes()
    (tmp_path / "x.tar").write_bytes(content[:size])
    with pytest.raises(CutShortError, match="without an end mark"):
        list(read_files(tmp_path / "x.tar", everything))


def test_a_flipped_bit_is_found_by_the_checksum_at_the_latest(tmp_path: Path) -> None:
    content = bytearray(pack(tmp_path / "x.tar.gz").read_bytes())
    content[len(content) // 2] ^= 4
    (tmp_path / "x.tar.gz").write_bytes(content)
    with pytest.raises(ArchiveError, match="damaged at or before byte") as raised:
        list(read_files(tmp_path / "x.tar.gz", everything))
    assert not isinstance(raised.value, CutShortError)


def test_a_damaged_header_is_an_error_and_no_end(tmp_path: Path) -> None:
    content = bytearray(pack(tmp_path / "x.tar", mode="w").read_bytes())
    position = content.index(b"./a/empty.txt")
    content[position] = ord("?")
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(ArchiveError, match=f"header at byte {position} is damaged"):
        list(read_files(tmp_path / "x.tar", everything))


def test_what_follows_the_end_mark_is_an_error(tmp_path: Path) -> None:
    content = pack(tmp_path / "x.tar", mode="w").read_bytes()
    (tmp_path / "x.tar").write_bytes(content + content)
    with pytest.raises(ArchiveError, match="joined into one"):
        list(read_files(tmp_path / "x.tar", everything))


def test_a_huge_header_extension_is_an_error(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("a")
        info.pax_headers = {"comment": "x" * (2 << 20)}
        tar.addfile(info)
    with pytest.raises(ArchiveError, match="extension at byte 512"):
        list(read_files(tmp_path / "x.tar", everything))
