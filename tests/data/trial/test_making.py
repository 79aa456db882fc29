"""Drawn trials are different, honest, balanced and follow the seed."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards
from duovox.data.trial.making import TrialOptions, make_trials
from duovox.data.trial.resolution import resolve

OPTIONS = TrialOptions(num_targets=40, num_nontargets=80)


@pytest.fixture
def index(tmp_path: Path, write_tar, wav_bytes) -> Index:
    """Return 48 utterances of six speakers, three of each gender, in two sessions each."""
    audio, members = wav_bytes(), []
    for number in range(48):
        key = f"s{number % 6}/day{number // 6 % 2}/{number}"
        fields = {"gender": "mf"[number % 2], "source": f"wav/{number}.wav"}
        members += [(f"{key}.wav", audio), (f"{key}.json", json.dumps(fields).encode())]
    write_tar(tmp_path / "a.tar", members)
    index_shards(tmp_path)
    return Index.load([tmp_path])


def pairs(index: Index, options: TrialOptions) -> list[tuple[int, int, bool]]:
    """Return (enroll row, test row, is target) of drawn trials."""
    resolved = resolve(make_trials(index, options, name="x"), index)
    return list(
        zip(
            resolved.enroll_rows.tolist(),
            resolved.test_rows.tolist(),
            resolved.is_target.tolist(),
            strict=True,
        )
    )


def test_labels_are_true_and_pairs_are_different(index):
    drawn = pairs(index, OPTIONS)
    assert len({frozenset(pair[:2]) for pair in drawn}) == len(drawn) == 120
    for enroll, test, is_target in drawn:
        assert enroll != test
        assert (index.speaker_id[enroll] == index.speaker_id[test]) == is_target
    assert sum(is_target for *_, is_target in drawn) == 40


def test_nontarget_pairs_are_of_one_gender_unless_asked(index):
    for enroll, test, _ in pairs(index, OPTIONS):
        assert index.gender[enroll] == index.gender[test]
    mixed = pairs(index, replace(OPTIONS, across_gender=True))
    assert any(index.gender[enroll] != index.gender[test] for enroll, test, _ in mixed)


def test_target_pairs_are_of_two_sessions_unless_asked(index):
    for enroll, test, is_target in pairs(index, OPTIONS):
        assert not is_target or index.session_id[enroll] != index.session_id[test]
    shared = pairs(index, replace(OPTIONS, same_session=True))
    assert any(
        is_target and index.session_id[enroll] == index.session_id[test]
        for enroll, test, is_target in shared
    )


def test_speakers_have_equal_shares(index):
    drawn = pairs(index, replace(OPTIONS, num_targets=60, num_nontargets=60))
    targets = Counter(index.speaker_id[enroll] for enroll, _, is_target in drawn if is_target)
    others = Counter(index.speaker_id[enroll] for enroll, _, is_target in drawn if not is_target)
    assert len(targets) == len(others) == 6
    assert min(targets.values()) >= 7  # of 10; a repeated pair costs a turn
    assert min(others.values()) >= 8


def test_the_seed_decides(index):
    assert pairs(index, OPTIONS) == pairs(index, OPTIONS)
    assert pairs(index, OPTIONS) != pairs(index, replace(OPTIONS, seed=1))


def test_all_possible_pairs_can_be_drawn_and_not_one_more(index):
    # 4 x 4 pairs across two sessions, 6 speakers; 3 pairs of speakers per gender, 8 x 8 each.
    everything = TrialOptions(num_targets=96, num_nontargets=384)
    assert len(pairs(index, everything)) == 480
    with pytest.raises(ValueError, match=r"97 target trials .* only 96 .*--same-session"):
        make_trials(index, replace(everything, num_targets=97), name="x")
    with pytest.raises(ValueError, match=r"385 non-target trials .* only 384 .*--across-gender"):
        make_trials(index, replace(everything, num_nontargets=385), name="x")


def test_unknown_sessions_count_as_different_and_unknown_speakers_are_left_out(
    tmp_path: Path, write_tar, wav_bytes
):
    keys = ["a/_/1", "a/_/2", "b/_/3", "_/_/4"]
    audio = wav_bytes()
    write_tar(
        tmp_path / "a.tar",
        [m for key in keys for m in ((f"{key}.wav", audio), (f"{key}.json", b"{}"))],
    )
    index_shards(tmp_path)
    index = Index.load([tmp_path])
    drawn = pairs(index, TrialOptions(num_targets=1, num_nontargets=2))
    assert {frozenset(pair[:2]) for pair in drawn} == {
        frozenset(rows) for rows in ((0, 1), (0, 2), (1, 2))
    }


def test_entries_are_source_paths_or_else_keys(index, tmp_path: Path, write_tar, wav_bytes):
    assert make_trials(index, OPTIONS, name="x").enroll[0].startswith("wav/")
    audio, fields = wav_bytes(), json.dumps({"source": "one file.wav"}).encode()
    keys = ["a/_/1", "a/_/2", "b/_/3"]
    folder = tmp_path / "spaces"
    folder.mkdir()
    write_tar(
        folder / "a.tar",
        [m for key in keys for m in ((f"{key}.wav", audio), (f"{key}.json", fields))],
    )
    index_shards(folder)
    drawn = make_trials(
        Index.load([folder]), TrialOptions(num_targets=1, num_nontargets=1), name="x"
    )
    assert set(drawn.enroll + drawn.test) <= set(keys)


def test_without_numbers_all_pairs_are_drawn_up_to_a_limit(index):
    drawn = make_trials(index, TrialOptions(), name="x")
    assert (drawn.num_targets, len(drawn)) == (96, 480)
    one_speaker = index.select(np.array([row % 6 == 0 for row in range(48)]))
    with pytest.raises(ValueError, match=r"1 non-target trials .* only 0 different pairs"):
        make_trials(one_speaker, TrialOptions(), name="x")


def test_no_trials_of_a_kind_is_refused():
    with pytest.raises(ValueError, match="must be at least 1, got 0 and 5"):
        TrialOptions(num_targets=0, num_nontargets=5)
