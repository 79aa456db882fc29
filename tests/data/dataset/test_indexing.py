"""Foreign shards are indexed in the field names of their makers; nothing is lost unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards
from duovox.data.dataset.summary import DatasetSummary
from duovox.data.fault import Fault

# (key, json) as published shards have them, and what the index must make of it:
# speaker, session, gender, language, transcript, source.
FOREIGN = {
    "librispeech reader": (
        "1089/134686/0000",
        {
            "reader_id": 1089,
            "chapter_id": 134686,
            "utterance_id": "0000",
            "transcription": "HE HOPED",
            "num_frames": 1600,
            "sampling_rate": 16000,
        },
        ("1089", "134686", "", "", "HE HOPED", "1089/134686/0000"),
    ),
    "voxceleb video": (
        "id10270/x6uYqmx31kE/00001",
        {
            "speaker_id": "id10270",
            "youtube_id": "x6uYqmx31kE",
            "utterance_id": "00001",
            "speaker_id_idx": 3,
            "num_frames": 1600,
            "sampling_rate": 16000,
        },
        ("id10270", "x6uYqmx31kE", "", "", "", "id10270/x6uYqmx31kE/00001"),
    ),
    "numbered samples": (
        "17/ls/1089/134686/0000",
        {
            "sample_id": "ls/1089/134686/0000",
            "num_frames": 1600,
            "sample_rate": 16000,
            "gender": "m",
            "transcription": "he hoped",
            "speaker_id": "ls/1089",
            "recording_id": "ls/134686",
            "language_tag": "en",
        },
        ("ls/1089", "ls/134686", "m", "en", "he hoped", "ls/1089/134686/0000"),
    ),
    "nothing but a key": (
        "speaker/session/1",
        {},
        ("speaker", "session", "", "", "", "speaker/session/1"),
    ),
    "nulls": ("a/b/c", {"speaker_id": None, "text": None}, ("a", "b", "", "", "", "a/b/c")),
    "a flat key": ("utterance", {"text": "ONE"}, ("", "", "", "", "ONE", "utterance")),
}
COLUMNS = ("speaker_id", "session_id", "gender", "language", "transcript", "source")


@pytest.mark.parametrize("name", FOREIGN)
def test_field_names_of_published_shards_are_understood(name, tmp_path: Path, write_tar, wav_bytes):
    key, fields, expected = FOREIGN[name]
    members = [(f"{key}.json", json.dumps(fields).encode()), (f"{key}.wav", wav_bytes())]
    write_tar(tmp_path / "train.000000.tar", members)
    index_shards(tmp_path)
    index = Index.load([tmp_path])
    assert tuple(getattr(index, column)[0] for column in COLUMNS) == expected
    assert index.key[0] == key


@pytest.fixture
def fill(tmp_path: Path, write_tar, wav_bytes):
    """Return a function that writes a shard of good samples and of broken ones."""

    def fill(num_good: int, num_bad: int = 0, name: str = "a") -> Path:
        text = b'{"transcript": "AB C", "speaker_id": "s"}'
        whole = [(f"s/{name}/{n}", wav_bytes(n)) for n in range(num_good)]
        members = [m for key, wav in whole for m in ((f"{key}.wav", wav), (f"{key}.json", text))]
        members += [(f"s/{name}/bad{n}.json", text) for n in range(num_bad)]
        write_tar(tmp_path / f"{name}.tar", members)
        return tmp_path

    return fill


def test_the_summary_counts_what_the_index_holds(fill):
    summary, faults = index_shards(fill(20), name="train", command="duovox shards index .")
    assert (summary.name, summary.num_utterances, summary.num_speakers) == ("train", 20, 1)
    assert summary.hours == pytest.approx(20 * 0.1 / 3600, abs=1e-6)
    assert summary.vocabulary == (" ", "A", "B", "C")
    assert summary.command == "duovox shards index ."
    assert faults == []
    assert summary == DatasetSummary.load(fill(20))


def test_too_many_bad_samples_stop_the_indexing_before_anything_is_written(fill):
    folder = fill(20, num_bad=3)
    with pytest.raises(ValueError, match=r"3 of 23 utterances are bad \(3 incomplete\)"):
        index_shards(folder)
    assert [path.name for path in folder.iterdir()] == ["a.tar"]


def test_a_tolerated_share_of_bad_samples_is_counted_and_named(fill):
    summary, faults = index_shards(fill(20, num_bad=1), max_bad_share=0.05)
    assert summary.left_out == {"incomplete": 1}
    assert [fault.key for fault in faults] == ["s/a/bad0"]


def test_faults_that_are_known_before_are_counted_too(fill):
    known = Fault(where="x.wav", key="s/t/x", cause="missing", detail="not there")
    assert index_shards(fill(3), left_out=[known])[0].left_out == {"missing": 1}


def test_the_same_key_in_two_shards_is_kept_once_and_named(fill, write_tar, wav_bytes):
    folder = fill(3)
    write_tar(folder / "b.tar", [("s/a/1.wav", wav_bytes()), ("s/a/1.json", b"{}")])
    with pytest.raises(ValueError, match="1 duplicate key"):
        index_shards(folder)
    summary, faults = index_shards(folder, max_bad_share=0.5)
    assert summary.num_utterances == 3
    assert [(fault.where, fault.key) for fault in faults] == [("b.tar", "s/a/1")]
    assert "a.tar has the same key" in faults[0].detail


def test_extra_members_that_are_never_read_do_not_count_as_bad(tmp_path, write_tar, wav_bytes):
    members = [("s/t/a.wav", wav_bytes()), ("s/t/a.json", b"{}"), ("s/t/a.npy", b"x")]
    write_tar(tmp_path / "a.tar", members)
    summary, faults = index_shards(tmp_path)
    assert summary.left_out == {}
    assert [fault.cause for fault in faults] == ["unsafe member"]


def test_indexing_twice_gives_the_same_bytes(fill):
    folder = fill(5)
    index_shards(folder)
    first = [(folder / name).read_bytes() for name in ("index.parquet", "dataset.json")]
    index_shards(folder)
    assert first == [(folder / name).read_bytes() for name in ("index.parquet", "dataset.json")]


def test_each_shard_is_reported_for_the_progress_bar(fill):
    fill(2)
    seen: list[str] = []
    index_shards(fill(2, name="b"), on_shard=lambda scan: seen.append(scan.summary.name))
    assert seen == ["a.tar", "b.tar"]


def test_a_folder_without_shards_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match=r"holds no shards \(\*\.tar\)$"):
        index_shards(tmp_path)
    (tmp_path / "a.tar.gz").write_bytes(b"")
    with pytest.raises(ValueError, match=r"unpack a\.tar\.gz and the like first"):
        index_shards(tmp_path)
    with pytest.raises(ValueError, match="there is no folder"):
        index_shards(tmp_path / "nowhere")


def test_shards_without_utterances_are_refused(tmp_path: Path, write_tar):
    write_tar(tmp_path / "a.tar", [])
    with pytest.raises(ValueError, match="can be used: its shards are empty"):
        index_shards(tmp_path)
