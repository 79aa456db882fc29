"""Validation is held out as asked, whatever the order of the files."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duovox.data.corpus.voxceleb.split import hold_out_recordings, hold_out_speakers
from duovox.data.utterance import Utterance

SIZES = st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=9), min_size=1, max_size=4)


def corpus(sizes: list[list[int]]) -> list[Utterance]:
    """Return utterances of speakers whose recordings have these sizes; women and men in turn."""
    return [
        Utterance(
            key=f"id{speaker}/r{recording}/{number}",
            path=Path("a.wav"),
            speaker_id=f"id{speaker}",
            session_id=f"r{recording}",
            gender="fm"[speaker % 2],
        )
        for speaker, recordings in enumerate(sizes)
        for recording, size in enumerate(recordings)
        for number in range(size)
    ]


@settings(max_examples=25)
@given(SIZES, st.floats(0, 0.5), st.integers(1, 3), st.integers(0, 5))
def test_recordings_are_whole_and_speakers_stay(sizes, share, min_recordings, seed):
    utterances = corpus(sizes)
    train, held = hold_out_recordings(
        utterances, share=share, min_recordings=min_recordings, seed=seed
    )
    assert sorted(one.key for one in train + held) == sorted(one.key for one in utterances)
    places = [{(one.speaker_id, one.session_id) for one in half} for half in (train, held)]
    assert not places[0] & places[1]
    assert {one.speaker_id for one in train} == {one.speaker_id for one in utterances}
    for speaker, recordings in enumerate(sizes):
        moved = [
            size
            for number, size in enumerate(recordings)
            if (f"id{speaker}", f"r{number}") in places[1]
        ]
        stays = len(recordings) - len(moved)
        is_enough = sum(moved) > share * sum(recordings) and len(moved) >= min_recordings
        assert is_enough or stays == 1
        smaller = sorted(moved)[:-1]  # without the last recording it was not enough
        assert not moved or sum(smaller) <= share * sum(recordings) or len(moved) <= min_recordings


def test_small_recordings_go_rather_than_large_ones():
    utterances = corpus([[1, 50, 50, 50]] * 20)
    _, held = hold_out_recordings(utterances, share=0.0, min_recordings=1, seed=0)
    sizes = Counter(one.speaker_id for one in held)
    assert sum(size == 1 for size in sizes.values()) > 10  # 3 of 4 are drawn: 15 are expected


@pytest.mark.parametrize("seed", [0, 1337])
def test_the_order_of_files_does_not_matter_and_the_seed_does(seed: int):
    utterances = corpus([[3, 1, 4, 1, 5, 9, 2, 6]] * 20)
    shuffled = random.Random(4).sample(utterances, len(utterances))
    for split in (
        lambda rows, seed: hold_out_recordings(rows, share=0.1, min_recordings=2, seed=seed),
        lambda rows, seed: hold_out_speakers(rows, number=5, seed=seed),
    ):
        held = {one.key for one in split(utterances, seed)[1]}
        assert held == {one.key for one in split(shuffled, seed)[1]}
        assert held != {one.key for one in split(utterances, seed + 1)[1]}


def test_a_speaker_is_split_alike_with_and_without_others():
    one, both = corpus([[3, 1, 4, 1, 5]]), corpus([[3, 1, 4, 1, 5], [2, 2, 2]])
    halves = [
        hold_out_recordings(rows, share=0.2, min_recordings=2, seed=1) for rows in (one, both)
    ]
    assert halves[0][1] == [row for row in halves[1][1] if row.speaker_id == "id0"]


def test_whole_speakers_are_held_out_as_many_women_as_men():
    train, held = hold_out_speakers(corpus([[2, 2]] * 50), number=10, seed=0)
    assert Counter(gender for _, gender in {(one.speaker_id, one.gender) for one in held}) == {
        "f": 5,
        "m": 5,
    }
    assert not {one.speaker_id for one in train} & {one.speaker_id for one in held}
    assert len(train) + len(held) == 200


@pytest.mark.parametrize("number", [0, 50])
def test_somebody_must_be_left(number: int):
    with pytest.raises(ValueError, match="between 1 and 49"):
        hold_out_speakers(corpus([[2, 2]] * 50), number=number, seed=0)
