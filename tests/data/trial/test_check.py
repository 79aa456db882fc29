"""A list that would give too good or too bad a number is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards
from duovox.data.trial.check import TrialReport, check_trials
from duovox.data.trial.list import TrialList, read_trials


@pytest.fixture
def index(tmp_path: Path, write_tar, wav_bytes) -> Index:
    """Return two utterances each of the speakers a and b, and one of nobody knows whom."""
    keys = ["a/t/1", "a/t/2", "b/t/1", "b/t/2", "_/t/1"]
    members = [m for key in keys for m in ((f"{key}.wav", wav_bytes()), (f"{key}.json", b"{}"))]
    write_tar(tmp_path / "a.tar", members)
    index_shards(tmp_path)
    return Index.load([tmp_path])


def listed(*trials: tuple[int, str, str]) -> TrialList:
    labels, enroll, test = zip(*trials, strict=True)
    return TrialList(name="list", enroll=enroll, test=test, is_target=np.array(labels, dtype=bool))


GOOD = [(1, "a/t/1", "a/t/2"), (0, "a/t/1", "b/t/1"), (0, "a/t/2", "b/t/1")]


def test_a_good_list_is_counted(index):
    report = check_trials(listed(*GOOD), index, training_speakers=["c", ""])
    assert report == TrialReport(
        num_targets=1, num_nontargets=2, num_speakers=2, num_utterances=3, warnings=()
    )


def test_a_speaker_who_was_trained_on_is_refused(index):
    with pytest.raises(ValueError, match=r"1 speakers of trial list list .*in training.*\n  b$"):
        check_trials(listed(*GOOD), index, training_speakers=["b", "c"])
    with pytest.raises(ValueError, match=r"2 speakers of trial list list .*\n  a\n  b$"):
        check_trials(listed(*GOOD), index, training_speakers=["b", "a"])


def test_speakers_of_unused_utterances_do_not_matter(index):
    only_a = listed((1, "a/t/1", "a/t/2"), (0, "a/t/1", "_/t/1"))
    assert check_trials(only_a, index, training_speakers=["b"]).num_speakers == 1


def test_unknown_speakers_are_not_taken_for_one(index):
    unknown = listed((1, "a/t/1", "a/t/2"), (0, "a/t/1", "_/t/1"))
    assert check_trials(unknown, index, training_speakers=["", "c"]).num_utterances == 3


@pytest.mark.parametrize(
    ("trial", "label"), [((1, "a/t/1", "b/t/2"), "target"), ((0, "b/t/1", "b/t/2"), "nontarget")]
)
def test_a_label_that_contradicts_the_speakers_is_refused(trial, label, index):
    with pytest.raises(ValueError, match=f"1 trials of list contradict .* is called {label}"):
        check_trials(listed(*GOOD, trial), index)


def test_repetitions_and_self_comparisons_are_warned_about(index):
    report = check_trials(listed(*GOOD, (0, "b/t/1", "a/t/1"), (1, "a/t/1", "a/t/1")), index)
    assert report.warnings == (
        "1 trials are repetitions of others",
        "1 trials compare an utterance with itself",
    )


def test_the_uncleaned_list_of_voxceleb_is_warned_about(speech_data, tmp_path, write_tar):
    trials = read_trials(speech_data / "voxceleb_meta" / "veri_test.txt")
    index = _voxceleb_index(trials, tmp_path)
    report = check_trials(trials, index)
    assert (report.num_speakers, report.num_utterances) == (40, 4715)
    assert report.warnings == (
        "trial list veri_test is VoxCeleb1-O, original, 37720 trials; papers report the cleaned "
        "one, veri_test2.txt with 37611",
        "338 trials are repetitions of others",
    )


def _voxceleb_index(trials: TrialList, folder: Path) -> Index:
    """Return an index that names the files of a list, without any audio."""
    from duovox.data.dataset.summary import DatasetSummary
    from duovox.data.dataset.table import write_index
    from duovox.data.shard.row import Row
    from duovox.data.shard.summary import ShardSummary

    entries = sorted({*trials.enroll, *trials.test})
    rows = [
        Row(
            key=entry.removesuffix(".wav"),
            shard="a.tar",
            offset=512,
            size=44,
            num_samples=64_000,
            sample_rate=16_000,
            speaker_id=entry.split("/")[0],
            session_id=entry.split("/")[1],
            gender="",
            language="",
            transcript="",
            source=entry,
            audio_format="wav",
        )
        for entry in entries
    ]
    write_index(folder, rows)
    (folder / "a.tar").write_bytes(b"")
    shard = ShardSummary(name="a.tar", size=0, sha256="", num_utterances=len(rows))
    DatasetSummary(
        name="vox1",
        num_utterances=len(rows),
        hours=0,
        num_speakers=40,
        vocabulary=(),
        shards=(shard,),
    ).save(folder)
    return Index.load([folder])
