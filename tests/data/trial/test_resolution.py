"""Entries find their audio in any usual spelling, and never the wrong one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards
from duovox.data.trial.list import TrialList
from duovox.data.trial.resolution import resolve


@pytest.fixture
def make_index(tmp_path: Path, write_tar, wav_bytes) -> Callable[[dict[str, str]], Index]:
    """Return a function that indexes utterances with given keys and sources."""

    def make(sources: dict[str, str]) -> Index:
        members = []
        for key, source in sources.items():
            members.append((f"{key}.wav", wav_bytes()))
            members.append((f"{key}.json", json.dumps({"source": source}).encode()))
        write_tar(tmp_path / "a.tar", members)
        index_shards(tmp_path)
        return Index.load([tmp_path])

    return make


def trials(*entries: str) -> TrialList:
    """Return trials of the first entry against each."""
    is_target = np.arange(len(entries)) % 2 == 0
    return TrialList(
        name="list", enroll=entries[:1] * len(entries), test=entries, is_target=is_target
    )


SPELLINGS = [
    "id1/video-1_x/00001",  # key
    "id1/video-1_x/00001.wav",
    "id1/video-1_x/00001.m4a",
    "wav/id1/video-1_x/00001.flac",  # source
    "wav/id1/video-1_x/00001",
    "./wav/id1/video-1_x/00001.WAV",
    "id1/video-1_x-00001",  # video and file in one token
    "id1-video-1_x-00001.wav",
    "wav-id1-video-1_x-00001",
]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_usual_spellings_find_the_utterance(spelling, make_index):
    index = make_index(
        {
            "id2/video/00001": "wav/id2/video/00001.flac",
            "id1/video-1_x/00001": "wav/id1/video-1_x/00001.flac",
        }
    )
    resolved = resolve(trials(spelling, "id2/video/00001"), index)
    assert resolved.enroll_rows.tolist() == [1, 1]
    assert resolved.test_rows.tolist() == [1, 0]
    assert resolved.is_target.tolist() == [True, False]
    assert resolved.name == "list"


def test_the_end_of_a_source_path_is_enough(make_index):
    index = make_index({"s/_/u1": "corpus/wav/id1/video/00001.flac"})
    assert resolve(trials("id1/video/00001.wav"), index).test_rows.tolist() == [0]


def test_an_exact_name_wins_over_a_similar_one(make_index):
    index = make_index({"a/b/c-d": "x/1.wav", "a/b-c/d": "x/2.wav", "y/z/1": "a-b/c/d.wav"})
    entries = ["a/b/c-d", "a/b-c/d", "a-b/c/d.flac"]
    assert resolve(trials(*entries), index).test_rows.tolist() == [0, 1, 2]


def test_an_entry_that_fits_several_utterances_is_refused(make_index):
    index = make_index({"a/b/c-d": "x/1.wav", "a/b-c/d": "x/2.wav"})
    with pytest.raises(ValueError, match=r"'a-b-c-d' fits 2 utterances \(a/b/c-d, a/b-c/d\)"):
        resolve(trials("a-b-c-d"), index)


@pytest.mark.parametrize("entry", ["s.1/_/a b", "s%2E1/_/a%20b", "s%2E1/_/a%20b.wav"])
def test_an_escaped_key_is_found_as_it_is_and_by_its_original_name(entry, make_index):
    index = make_index({"t/_/b": "x/2.wav", "s%2E1/_/a%20b": "x/1.wav"})
    assert resolve(trials(entry), index).test_rows.tolist() == [1]


def test_all_missing_audio_is_counted_and_the_first_ten_are_listed(make_index):
    index = make_index({"a/b/c": "a/b/c.wav"})
    lost = [f"a/b/x{number}.wav" for number in range(12)]
    with pytest.raises(ValueError, match=r"12 of 13 entries of the trial list list") as caught:
        resolve(trials("a/b/c.wav", *lost), index)
    message = str(caught.value)
    assert all(entry in message for entry in lost[:10])
    assert lost[10] not in message
    assert "and 2 more" in message
