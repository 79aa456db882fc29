"""Tested speakers are never trained on, and lists are told apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from duovox.data.corpus.voxceleb.person import Person
from duovox.data.corpus.voxceleb.plan import SplitOptions, plan_sets, set_name
from duovox.data.trial.list import TrialList, read_trials
from duovox.data.utterance import Utterance

VOX1 = SplitOptions(corpora=("voxceleb1",))


def person(name: str, portion: str) -> Person:
    corpus = "voxceleb1" if name.startswith("id1") else "voxceleb2"
    return Person(speaker_id=name, corpus=corpus, gender="f", portion=portion)


PEOPLE = {
    name: person(name, portion)
    for name, portion in {
        "id00012": "dev",
        "id00015": "dev",
        "id00017": "test",
        "id10001": "dev",
        "id10002": "dev",
        "id10270": "test",
    }.items()
}


@pytest.fixture
def utterances() -> list[Utterance]:
    """Return three utterances of three recordings by each of the six people."""
    return [
        Utterance(
            key=f"{name}/v{video}/{number}",
            path=Path("a.zip"),
            source=f"{name}/v{video}/{number}.wav",
            speaker_id=name,
            session_id=f"v{video}",
        )
        for name in PEOPLE
        for video in range(3)
        for number in range(3)
    ]


def trials(*pairs: str, name: str = "mine") -> TrialList:
    enroll, test = zip(*(pair.split() for pair in pairs), strict=True)
    return TrialList(name=name, enroll=enroll, test=test, is_target=np.arange(len(pairs)) % 2 == 0)


def speakers(rows: list[Utterance]) -> set[str]:
    return {row.speaker_id for row in rows}


def test_only_dev_speakers_of_the_corpus_who_are_not_tested_are_trained_on(utterances):
    listed = trials("id10270/v0/1.wav id10270/v1/2.wav", "id10001/v0/0.wav id10270/v0/1.wav")
    two = plan_sets(utterances, PEOPLE, [listed], SplitOptions())
    assert two.training_speakers == speakers(two.sets["val"]) == {"id00012", "id00015"}
    keys = {"id10001/v0/0", "id10270/v0/1", "id10270/v1/2"}
    assert {row.key for row in two.sets["test_mine"]} == keys
    assert two.num_unused == 6 * 9 - 2 * 9 - 3
    assert plan_sets(utterances, PEOPLE, [listed], VOX1).training_speakers == {"id10002"}
    both = replace(VOX1, corpora=("voxceleb1", "voxceleb2"))
    assert plan_sets(utterances, PEOPLE, [], both).training_speakers == PEOPLE.keys() - {
        "id00017",
        "id10270",
    }


def test_other_speakers_validate_in_mode_different(utterances):
    options = SplitOptions(mode="different", num_validation_speakers=1)
    plan = plan_sets(utterances, PEOPLE, [], options)
    assert len(plan.training_speakers) == len(speakers(plan.sets["val"])) == 1
    assert not plan.training_speakers & speakers(plan.sets["val"])


def test_a_list_that_tests_everybody_leaves_nobody(utterances):
    listed = trials("id10001/v0/0 id10002/v0/0", "id10001/v0/0 id10001/v0/1")
    with pytest.raises(ValueError, match="nobody is left to train on"):
        plan_sets(utterances, PEOPLE, [listed], VOX1)


def test_missing_audio_of_a_list_is_listed(utterances):
    listed = trials("id10001/v0/0.wav id10300/v/1.wav", "id10001/v0/0.wav id10001/v0/1.wav")
    with pytest.raises(ValueError, match=r"1 of the 3 files(.|\n)*id10300/v/1"):
        plan_sets(utterances, PEOPLE, [listed], SplitOptions())


def test_without_recordings_to_hold_out_there_is_no_validation(utterances):
    alone = [row for row in utterances if row.session_id == "v0"]
    with pytest.raises(ValueError, match="validation set would be empty"):
        plan_sets(alone, PEOPLE, [], SplitOptions())


def test_two_lists_may_not_make_one_set(utterances):
    listed = trials("id10001/v0/0 id10270/v0/0", "id10001/v0/0 id10001/v0/1")
    with pytest.raises(ValueError, match="the same test set"):
        plan_sets(utterances, PEOPLE, [listed, listed], SplitOptions())


def test_the_real_lists_are_known_and_told_apart(meta: Path):
    cleaned, original = (read_trials(meta / name) for name in ("veri_test2.txt", "veri_test.txt"))
    assert (len(cleaned), cleaned.num_targets) == (37_611, 18_802)
    assert len({*cleaned.enroll, *cleaned.test}) == 4_708
    assert len({*original.enroll, *original.test}) == 4_715
    assert (cleaned.official_name, original.official_name) == ("voxceleb1-o-cleaned", "voxceleb1-o")
    assert [set_name(one) for one in (cleaned, original)] == ["test_o", "test_o_original"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"mode": "other"}, "equal or different"),
        ({"corpora": ()}, "training corpora"),
        ({"corpora": ("voxceleb3",)}, "training corpora"),
        ({"validation_share": 1.0}, "validation share"),
    ],
)
def test_odd_options_are_refused(fields, message):
    with pytest.raises(ValueError, match=message):
        SplitOptions(**fields)
