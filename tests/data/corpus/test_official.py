"""Official counts agree with the corpora's own files, and differences are said in words."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from duovox.data.corpus.official import OFFICIAL, OFFICIAL_TRIALS, compare, is_known
from duovox.data.dataset.summary import DatasetSummary
from duovox.data.trial.list import read_trials


def summary(num_utterances: int, num_speakers: int, hours: float) -> DatasetSummary:
    return DatasetSummary(
        name="any",
        num_utterances=num_utterances,
        num_speakers=num_speakers,
        hours=hours,
        vocabulary=(),
        shards=(),
    )


def test_a_whole_set_differs_in_nothing():
    assert compare(summary(2620, 40, 5.403472), "test-clean", num_words=52_576) == []
    assert compare(summary(2620, 40, 5.403472), "test_clean") == []


def test_each_difference_is_a_sentence():
    assert compare(summary(2600, 41, 5.3), "test-clean", num_words=52_000) == [
        "test-clean has 2600 utterances, 20 fewer than the official 2620",
        "test-clean has 41 speakers, 1 more than the official 40",
        "test-clean has 52000 words, 576 fewer than the official 52576",
        "test-clean has 5.30 hours, the official count is 5.40",
    ]


def test_unknown_names_are_refused():
    assert is_known("Train_Clean_100")
    assert not is_known("train")
    with pytest.raises(ValueError, match="no official counts are known for 'train'"):
        compare(summary(1, 1, 1.0), "train")


def test_librispeech_agrees_with_its_table_of_speakers(speech_data: Path):
    speakers, minutes = Counter[str](), Counter[str]()
    table = speech_data / "librispeech" / "LibriSpeech" / "SPEAKERS.TXT"
    for line in table.read_text(encoding="utf-8").splitlines():
        if not line.startswith(";"):
            _, _, subset, length, *_ = (field.strip() for field in line.split("|"))
            speakers[subset] += 1
            minutes[subset] += float(length)
    assert len(speakers) == 7
    for subset, number in speakers.items():
        assert OFFICIAL[subset].num_speakers == number
        assert OFFICIAL[subset].hours == pytest.approx(minutes[subset] / 60, abs=0.006)


@pytest.mark.parametrize(
    ("file", "name"), [("veri_test.txt", "voxceleb1-o"), ("veri_test2.txt", "voxceleb1-o-cleaned")]
)
def test_voxceleb_agrees_with_its_own_files(file: str, name: str, speech_data: Path):
    trials = read_trials(speech_data / "voxceleb_meta" / file)
    assert len(trials) == OFFICIAL_TRIALS[name]
    files = {*trials.enroll, *trials.test}
    assert len(files) == OFFICIAL[name].num_utterances
    assert len({path.split("/")[0] for path in files}) == OFFICIAL[name].num_speakers


def test_voxceleb_has_the_speakers_of_its_tables(speech_data: Path):
    table = (speech_data / "voxceleb_meta" / "vox1_meta.csv").read_text(encoding="utf-8")
    sets = Counter(line.split("\t")[-1] for line in table.splitlines()[1:])
    assert sets["dev"] == OFFICIAL["voxceleb1-dev"].num_speakers
    assert sets["test"] == OFFICIAL["voxceleb1-test"].num_speakers
