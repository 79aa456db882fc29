"""Whatever a foreign shard holds, only what can be trusted gets a row, and the rest is named."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from duovox.data.dataset.indexing import index_shards
from duovox.data.dataset.verify import verify_dataset
from duovox.data.shard.scan import scan_shard
from duovox.data.shard.summary import checksum

Member = str | tuple[str, bytes]  # a name alone stands for good content


@dataclass(frozen=True)
class Odd:
    """A shard with something odd in it."""

    name: str
    members: list[Member]
    causes: list[str]  # of the faults that must be found
    keys: list[str]  # that are indexed all the same


A, A_JSON, B, B_JSON = "s/t/a.wav", "s/t/a.json", "s/t/b.wav", "s/t/b.json"
PICKLE = b"cos\nsystem\n(S'touch hacked'\ntR."
ODD_SHARDS = [
    Odd("audio without text", [A, A_JSON, B], ["incomplete"], ["s/t/a"]),
    Odd("text without audio", [A_JSON, B, B_JSON], ["incomplete"], ["s/t/b"]),
    Odd("interleaved", [A, B, A_JSON, B_JSON], ["interleaved"] * 4, []),
    Odd("adjacent twice", [A, A_JSON, A, A_JSON], ["repeated member"], ["s/t/a"]),
    Odd("twice", [A, A_JSON, B, B_JSON, A, A_JSON], ["duplicate key"], ["s/t/a", "s/t/b"]),
    Odd("dots in names", ["s/u.1.wav", "s/u.2.wav", "s/u.1.json"], ["dotted name"], []),
    Odd("pickles", [A, A_JSON, ("s/t/a.pkl", PICKLE)], ["unsafe member"], ["s/t/a"]),
    Odd("tensors", [A, A_JSON, ("s/t/a.pyd", PICKLE)], ["unsafe member"], ["s/t/a"]),
    Odd("upwards", ["../../s/t.wav", "../../s/t.json"], ["unsafe name"], []),
    Odd("absolute", ["/etc/t.wav", "/etc/t.json"], ["unsafe name"], []),
    Odd("json is a list", [A, (A_JSON, b"[]")], ["bad description"], []),
    Odd("json is broken", [A, (A_JSON, b'{"a"')], ["bad description"], []),
    Odd("text is no utf-8", [A, ("s/t/a.txt", b"\xff\xfe")], ["bad description"], []),
    Odd("length is a word", [A, (A_JSON, b'{"num_samples": "x"}')], ["bad description"], []),
    Odd("no audio inside", [("s/t/a.wav", b"text"), A_JSON], ["undecodable"], []),
    Odd("length differs", [A, (A_JSON, b'{"num_frames": 1601}')], ["wrong length"], []),
]


@pytest.fixture
def write(write_tar, wav_bytes) -> Callable[[Path, list[Member]], Path]:
    """Return a function that fills in good content and writes a tar file."""

    def filled(path: Path, members: list[Member]) -> Path:
        content = {"wav": wav_bytes(), "json": b'{"num_samples": 1600}', "txt": b"ONE TWO\n"}
        whole = [(m, content[m.rpartition(".")[2]]) if isinstance(m, str) else m for m in members]
        return write_tar(path, whole)

    return filled


@pytest.mark.parametrize("odd", ODD_SHARDS, ids=lambda odd: odd.name)
def test_odd_shards_are_indexed_as_far_as_they_can_be_trusted(odd: Odd, write, tmp_path: Path):
    scan = scan_shard(write(tmp_path / "odd.tar", odd.members))
    assert [fault.cause for fault in scan.faults] == odd.causes
    assert [row.key for row in scan.rows] == odd.keys


@pytest.mark.parametrize("odd", ODD_SHARDS, ids=lambda odd: odd.name)
def test_verify_lists_the_faults_of_odd_shards_too(odd: Odd, write, tmp_path: Path):
    write(tmp_path / "good.tar", ["s/t/good.wav", "s/t/good.json"])
    write(tmp_path / "odd.tar", odd.members)
    index_shards(tmp_path, max_bad_share=1)
    assert [fault.cause for fault in verify_dataset(tmp_path)[1]] == odd.causes


def test_nothing_of_a_shard_reaches_the_disk(write, tmp_path: Path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    write(folder / "a.tar", [A, A_JSON, "s/t/../../evil.wav", "x.json", ("s/t/a.pkl", PICKLE)])
    index_shards(folder, max_bad_share=1)
    verify_dataset(folder)
    names = sorted(path.name for path in tmp_path.rglob("*") if path.is_file())
    assert names == ["a.tar", "dataset.json", "index.parquet"]


def test_a_link_is_never_followed(tmp_path: Path):
    with tarfile.open(tmp_path / "odd.tar", "w") as tar:
        for name in (A, A_JSON):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(member)
    scan = scan_shard(tmp_path / "odd.tar")
    assert [fault.cause for fault in scan.faults] == ["unsafe name"]
    assert scan.rows == ()


def test_a_wav_cut_short_inside_a_whole_member_is_found(write, wav_bytes, tmp_path: Path):
    scan = scan_shard(write(tmp_path / "a.tar", [(A, wav_bytes()[:1000]), A_JSON]))
    assert [fault.cause for fault in scan.faults] == ["cut short"]


def test_plain_audio_and_text_make_a_row(write, tmp_path: Path):
    (row,) = scan_shard(write(tmp_path / "a.tar", [A, "s/t/a.txt"])).rows
    assert (row.transcript, row.speaker_id, row.session_id) == ("ONE TWO", "s", "t")
    assert (row.num_samples, row.sample_rate, row.audio_format) == (1600, 16_000, "wav")


def test_the_summary_has_size_and_checksum(write, tmp_path: Path):
    path = write(tmp_path / "a.tar", [A, A_JSON, B, B_JSON])
    summary = scan_shard(path).summary
    assert (summary.name, summary.num_utterances) == ("a.tar", 2)
    assert (summary.size, summary.sha256) == (path.stat().st_size, checksum(path))


def test_the_checksum_is_that_of_sha256sum(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"abc")  # the example of the standard, FIPS 180-4
    assert checksum(tmp_path / "a").startswith("ba7816bf8f01cfea414140de5dae2223")


def test_dot_files_and_folders_are_no_utterances(write, tmp_path: Path):
    path = write(tmp_path / "a.tar", [(".DS_Store", b"x"), ("s/.hidden", b"x"), A, A_JSON])
    assert scan_shard(path).faults == ()
