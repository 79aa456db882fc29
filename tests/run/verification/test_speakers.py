"""Speakers are read from names only where the labels agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duovox.run.verification.speakers import look_up, read_utt2spk, speakers_of

LABELS = np.array([True, False])


@pytest.mark.parametrize(
    ("anna", "bert"),
    [
        (("anna/1.wav", "anna/2.wav"), "bert/1.wav"),
        (("data/anna/1", "data/anna/2"), "data/bert/1"),
        (("anna-1-2", "anna-3-4"), "bert-1-2"),
        (("x_anna_1", "x_anna_2"), "x_bert_1"),
        (("anna", "anna/2.wav"), "bert/1.wav"),
    ],
)
def test_the_part_that_agrees_with_the_labels_is_the_speaker(
    anna: tuple[str, str], bert: str
) -> None:
    found = speakers_of([anna, (anna[0], bert)], LABELS)
    assert found == [("anna", "anna"), ("anna", "bert")]


def test_names_that_tell_nothing_give_no_speakers() -> None:
    assert speakers_of([("1.wav", "2.wav"), ("1.wav", "3.wav")], LABELS) is None
    assert speakers_of([("anna/1", "bert/1"), ("anna/1", "carl/1")], LABELS) is None


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("test/s0/0.flac", "s0/0.flac"),
        ("s0/0.flac", "test/s0/0.flac"),
        ("s0/0.wav", "s0/0"),
        ("s0/0", "s0-0.flac"),
    ],
)
def test_an_utterance_may_be_called_by_more_or_less_of_its_path(key: str, name: str) -> None:
    assert look_up([key, key], {name: "anna", "s0/1": "bert"}) == ["anna", "anna"]


def test_a_name_of_several_speakers_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"1 utterances fit lines of several speakers .*\n.*0\.flac"
    ):
        look_up(["0.flac"], {"anna/0.flac": "anna", "bert/0.flac": "bert"})


def test_utt2spk_tells_them(tmp_path: Path) -> None:
    path = tmp_path / "utt2spk"
    path.write_text("1 anna\n2 anna\n3 bert\n")
    assert look_up(["3", "1"], read_utt2spk(path)) == ["bert", "anna"]
    with pytest.raises(ValueError, match=r"1 utterances are not in utt2spk:\n  4$"):
        look_up(["4", "1"], read_utt2spk(path))
    path.write_text("1 anna x\n")
    with pytest.raises(ValueError, match="line 1 must read `utterance speaker`"):
        read_utt2spk(path)
