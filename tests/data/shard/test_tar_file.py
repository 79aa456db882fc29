"""Our tar files are, byte for byte, those of `tarfile`, which also reads them back."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import webdataset

from duovox.data.shard.tar_file import TarFile

SIZES = (0, 1, 511, 512, 513, 70_000)
NAMES = {
    "short": "19/198/0000",
    "one hundred bytes": "s" * 40 + "/" + "t" * 40 + "/" + "u" * 12,
    "one more": "s" * 40 + "/" + "t" * 40 + "/" + "u" * 13,
    "no ASCII": "sprecher/straße/ö",
}


def members(name: str) -> list[tuple[tarfile.TarInfo, bytes]]:
    generator = np.random.default_rng(0)
    made = []
    for size in SIZES:
        member = tarfile.TarInfo(f"{name}{size % 7}.flac")
        member.size, member.mode, member.mtime = size, 0o444, 1_234_567
        member.uname = member.gname = "somebody"
        made.append((member, generator.bytes(size)))
    return made


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_the_bytes_and_the_offset_are_those_of_tarfile(name: str):
    ours, peer = io.BytesIO(), io.BytesIO()
    mine, reference = TarFile(ours), tarfile.TarFile(fileobj=peer, mode="w")
    for member, content in members(name):
        mine.addfile(member, io.BytesIO(content))
        reference.addfile(member, io.BytesIO(content))
        assert mine.offset == reference.offset
    mine.close()
    reference.close()
    assert ours.getvalue() == peer.getvalue()


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_tarfile_and_webdataset_read_what_was_written(name: str, tmp_path: Path):
    with (tmp_path / "a.tar").open("wb") as file:
        mine = TarFile(file)
        for member, content in members(name):
            mine.addfile(member, io.BytesIO(content))
        mine.close()
    with tarfile.open(tmp_path / "a.tar") as tar, (tmp_path / "a.tar").open("rb") as stream:
        found = [(one.name, tar.extractfile(one).read()) for one in tar]  # type: ignore[union-attr]
        assert all(
            (one.mode, one.mtime, one.uname) == (0o444, 1_234_567, "somebody") for one in tar
        )
        streamed = [
            (one["fname"], one["data"]) for one in webdataset.tariterators.tar_file_iterator(stream)
        ]
    assert found == streamed == [(member.name, content) for member, content in members(name)]
