"""Every damage of a shard that other readers pass over in silence is found, named and counted.

A whole data set is damaged after it was indexed: `verify` must list it, reading must refuse it, and
indexing the damaged folder anew must say what is lost.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import webdataset

from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards
from duovox.data.dataset.reader import ShardReader
from duovox.data.dataset.verify import verify_dataset
from duovox.data.shard.scan import scan_shard

KEYS = [f"speaker/session/{number}" for number in range(10)]


AUDIO_BYTES = 44 + 2 * 1600  # of one utterance


@pytest.fixture
def members(wav_bytes: Callable[..., bytes]) -> list[tuple[str, bytes]]:
    """Return the members of a whole shard of ten utterances."""
    pairs = (((f"{key}.wav", wav_bytes(n)), (f"{key}.json", b"{}")) for n, key in enumerate(KEYS))
    return [member for pair in pairs for member in pair]


@pytest.fixture
def shard(tmp_path: Path, members: list[tuple[str, bytes]], write_tar) -> Path:
    """Return the one shard of an indexed data set of ten utterances."""
    path = write_tar(tmp_path / "shard-000000.tar", members)
    index_shards(tmp_path)
    return path


def offset_of(path: Path, name: str) -> int:
    """Return where the header of a member begins."""
    with tarfile.open(path) as tar:
        return tar.getmember(name).offset


def cut_at(name: str, shift: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: offset_of(path, name) + shift])

    return damage


def overwrite(name: str, content: bytes, shift: int = 0) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        start = offset_of(path, name) + shift
        with path.open("r+b") as file:
            file.seek(start)
            file.write(content)

    return damage


def join_another(path: Path) -> None:
    path.write_bytes(path.read_bytes() * 2)


@dataclass(frozen=True)
class Damage:
    name: str
    apply: Callable[[Path], object]
    says: str  # part of the damage that the walk reports
    num_whole: int  # utterances that can still be read
    unreadable: str | None  # an utterance that reading must refuse


DAMAGES = [
    Damage(
        "cut in the middle of a member",
        cut_at(f"{KEYS[5]}.wav", 512 + 700),
        f"cut short: the file ends {AUDIO_BYTES - 700} bytes before the end of '{KEYS[5]}.wav'",
        5,
        KEYS[5],
    ),
    Damage("cut between samples", cut_at(f"{KEYS[3]}.wav", 0), "without an end mark", 3, KEYS[3]),
    Damage(
        "cut between wav and json",
        cut_at(f"{KEYS[3]}.json", 0),
        "without an end mark",
        3,
        KEYS[4],
    ),
    Damage(
        "damaged header of a later member",
        overwrite(f"{KEYS[1]}.wav", b"\xff" * 40, 100),
        "is damaged; what follows cannot be read",
        1,
        KEYS[1],
    ),
    Damage(
        "damaged header between wav and json",
        overwrite(f"{KEYS[1]}.json", b"\xff" * 40, 100),
        "is damaged; what follows cannot be read",
        1,
        None,  # the audio in front of the damage is whole
    ),
    Damage(
        "zeroed block",
        overwrite(f"{KEYS[2]}.wav", bytes(1024)),
        "more bytes with content behind it",
        2,
        KEYS[2],
    ),
    Damage("two tars joined", join_another, "or several tars joined into one", 10, None),
    Damage("empty file", lambda path: path.write_bytes(b""), "the file is empty", 0, KEYS[0]),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
class TestDamagedShards:
    def test_the_scan_says_what_happened_and_keeps_what_is_whole(self, damage: Damage, shard: Path):
        damage.apply(shard)
        scan = scan_shard(shard)
        assert len(scan.rows) == damage.num_whole
        told = [fault for fault in scan.faults if fault.cause == "damaged shard"]
        assert len(told) == 1
        assert damage.says in told[0].detail

    def test_verify_lists_the_damage_and_each_lost_utterance(self, damage: Damage, shard: Path):
        damage.apply(shard)
        faults = verify_dataset(shard.parent)[1]
        causes = [fault.cause for fault in faults]
        assert "damaged shard" in causes
        assert "wrong size" in causes or "wrong checksum" in causes
        assert causes.count("lost utterance") == 10 - damage.num_whole

    def test_indexing_refuses_unless_told_to_keep_what_is_whole(
        self, damage: Damage, shard: Path, write_tar, wav_bytes
    ):
        damage.apply(shard)
        whole = [("s/t/whole.wav", wav_bytes()), ("s/t/whole.json", b"{}")]
        write_tar(shard.with_name("shard-000001.tar"), whole)
        with pytest.raises(ValueError, match=r"1 shards .* are damaged.*--max-bad-share 1"):
            index_shards(shard.parent)
        summary, _ = index_shards(shard.parent, max_bad_share=1)
        assert summary.num_utterances == damage.num_whole + 1
        assert summary.left_out["damaged shard"] == 1

    def test_reading_by_offset_refuses_the_damaged_utterance(
        self, damage: Damage, shard: Path, wav_bytes
    ):
        index = Index.load([shard.parent])
        damage.apply(shard)
        if damage.unreadable is None:
            assert ShardReader(index).read(1) == wav_bytes(1)
            return
        with pytest.raises(ValueError, match=f"shard-000000.tar: {damage.unreadable}: damaged"):
            ShardReader(index).read(KEYS.index(damage.unreadable))

    def test_loading_the_index_notices_another_size(self, damage: Damage, shard: Path):
        size = shard.stat().st_size
        damage.apply(shard)
        if shard.stat().st_size == size:
            assert len(Index.load([shard.parent])) == 10  # only verify and reading can know
            return
        with pytest.raises(ValueError, match=f"bytes instead of {size}"):
            Index.load([shard.parent])


@pytest.mark.filterwarnings("ignore")  # it leaves its file open
def test_the_usual_reader_ends_in_silence_at_a_damaged_header(shard: Path):
    overwrite(f"{KEYS[1]}.wav", b"\xff" * 40, 100)(shard)
    samples = list(webdataset.WebDataset(str(shard), shardshuffle=False, empty_check=False))
    assert len(samples) == 1  # of ten, and no complaint: why this room walks tar files itself


def test_a_missing_shard_is_named_by_all(shard: Path):
    index = Index.load([shard.parent])
    shard.unlink()
    assert [fault.cause for fault in verify_dataset(shard.parent)[1]] == ["missing shard"]
    with pytest.raises(ValueError, match=r"shard-000000\.tar: missing"):
        Index.load([shard.parent])
    with pytest.raises(ValueError, match=r"shard-000000\.tar: speaker/session/3: damaged shard"):
        ShardReader(index).read(3)


def test_audio_that_changed_in_place_is_found_by_its_checksum(shard: Path):
    overwrite(f"{KEYS[4]}.wav", b"\x01\x02", 512 + 1000)(shard)
    assert [fault.cause for fault in verify_dataset(shard.parent)[1]] == ["wrong checksum"]


def test_another_utterance_at_the_offset_is_noticed(shard: Path, members, write_tar):
    index = Index.load([shard.parent])
    write_tar(shard, members[-2:] + members[:-2])
    with pytest.raises(ValueError, match=r"holds 'speaker/session/9\.wav'"):
        ShardReader(index).read(0)
