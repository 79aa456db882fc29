"""Embeddings and scores of any system, measured as a run's own are."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from duovox.metric.eer import equal_error_rate
from duovox.run.verification.scoring import Cohort, measure, score

UTTERANCES = [f"id{speaker}/video{take}/0000{take}" for speaker in range(6) for take in range(4)]
KEYS = list(itertools.combinations(UTTERANCES, 2))  # as in the fixtures
IS_TARGET = [enroll[:3] == test[:3] for enroll, test in KEYS]


def as_norm(vectors: np.ndarray, cohort: np.ndarray, top_n: int) -> list[float]:
    """Normalise trial by trial."""
    unit, strangers = (v / np.linalg.norm(v, axis=1, keepdims=True) for v in (vectors, cohort))
    row = {key: number for number, key in enumerate(UTTERANCES)}
    found = []
    for enroll, test in KEYS:
        sides = []
        for key in (enroll, test):
            best = np.sort(strangers @ unit[row[key]])[-top_n:]
            sides.append((unit[row[enroll]] @ unit[row[test]] - best.mean()) / best.std())
        found.append(sum(sides) / 2)
    return found


def test_embeddings_are_compared_by_cosine(embedding_file, trial_list, vectors) -> None:
    found = score(embedding_file, trials=trial_list)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    row = {key: number for number, key in enumerate(UTTERANCES)}
    expected = [unit[row[a]] @ unit[row[b]] for a, b in KEYS]
    np.testing.assert_allclose(found.scores, expected, atol=1e-6)
    result = measure(found, eer_style="voxceleb_trainer", are_llrs=True)
    assert result["eer"] == equal_error_rate(found.scores, IS_TARGET).eer
    assert result["eer_interval"][0] <= result["eer"] <= result["eer_interval"][1]
    assert result["num_speakers"] == 6
    assert result["eer_voxceleb_trainer"] >= result["eer"]
    assert result["min_dcf_p01"] <= result["actual_dcf_p01"]
    assert result["min_cllr"] <= result["cllr"]


def test_a_cohort_normalises_scores(embedding_file, trial_list, vectors, tmp_path) -> None:
    strangers = np.random.default_rng(1).standard_normal((9, 5))
    path = tmp_path / "cohort.npz"
    np.savez(path, paths=np.array([f"s{n // 3}/{n}" for n in range(9)]), embeddings=strangers)
    found = score(embedding_file, trials=trial_list, cohort=Cohort(path=path, top_n=4))
    np.testing.assert_allclose(found.scores, as_norm(vectors, strangers, 4), rtol=1e-3, atol=1e-4)
    utt2spk = {f"s{n // 3}/{n}": f"s{n // 3}" for n in range(9)}
    utt2spk |= {f"/corpora/vox/{key}.wav": key[:3] for key in UTTERANCES}
    cohort = Cohort(path=path, top_n=2, utt2spk=utt2spk)
    unit = strangers / np.linalg.norm(strangers, axis=1, keepdims=True)
    means = unit.reshape(3, 3, 5).sum(axis=1)
    expected = as_norm(vectors, means, 2)
    found = score(embedding_file, trials=trial_list, cohort=cohort)
    np.testing.assert_allclose(found.scores, expected, rtol=1e-3, atol=1e-3)
    cohort = Cohort(path=path, top_n=2, utt2spk=utt2spk | {"s0/0": "id3"})
    with pytest.raises(ValueError, match="1 speakers are both in the cohort and in the trials"):
        score(embedding_file, trials=trial_list, cohort=cohort)


def test_a_cohort_of_the_same_utterances_or_another_width_is_refused(
    embedding_file, trial_list, tmp_path
) -> None:
    with pytest.raises(ValueError, match="24 utterances of the trials are in the cohort"):
        score(embedding_file, trials=trial_list, cohort=Cohort(path=embedding_file, top_n=4))
    path = tmp_path / "cohort.npz"
    np.savez(path, paths=np.array(["s"]), embeddings=np.ones((1, 7)))
    with pytest.raises(ValueError, match=r"5 wide, those of .* 7"):
        score(embedding_file, trials=trial_list, cohort=Cohort(path=path, top_n=4))


def test_a_cohort_of_the_same_audio_under_other_names_is_refused(
    embedding_file, trial_list, vectors, tmp_path
) -> None:
    path = tmp_path / "cohort.npz"
    np.savez(path, paths=np.array([f"other/{n}" for n in range(24)]), embeddings=vectors)
    with pytest.raises(ValueError, match="24 utterances of the trials are in the cohort"):
        score(embedding_file, trials=trial_list, cohort=Cohort(path=path, top_n=4))


def test_scores_are_measured_with_labels_of_their_own_or_of_a_list(
    score_file: Callable[..., Path], trial_list: Path
) -> None:
    own = measure(score(score_file("a.txt", seed=1)))
    listed = measure(score(score_file("b.txt", seed=1, label=False), trials=trial_list))
    assert own["eer"] == listed["eer"]
    assert own["eer_interval"] == pytest.approx(listed["eer_interval"])


def test_without_names_there_are_rates_but_no_intervals(tmp_path: Path) -> None:
    path = tmp_path / "nemo.txt"
    path.write_text("0.1\t0\n0.9\t1\n0.4\t0\n0.3\t1\n")
    result = measure(score(path))
    assert result["eer"] == 0.5
    assert result["eer_interval"] is result["min_dcf_p01_interval"] is None


def test_what_can_not_be_scored_is_refused(
    embedding_file: Path, score_file: Callable[..., Path], trial_list: Path, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="need a trial list"):
        score(embedding_file)
    with pytest.raises(ValueError, match="has no labels: give the trial list"):
        score(score_file("a.txt", seed=1, label=False))
    with pytest.raises(ValueError, match="normalises scores of embeddings alone"):
        score(score_file("a.txt", seed=1), cohort=Cohort(path=embedding_file, top_n=3))
    with pytest.raises(ValueError, match="there is no file"):
        score(tmp_path / "none")
    path = tmp_path / "targets.txt"
    path.write_text("a b 0.5 target\na c 0.6 target\n")
    with pytest.raises(ValueError, match="needs target and non-target trials"):
        measure(score(path))
