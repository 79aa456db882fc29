"""Calibration and fusion from files, matched by key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from duovox.data.trial.score_list import read_score_list
from duovox.metric.fusion import fit_fusion
from duovox.run.verification.calibration import calibrate

ScoreFile = Callable[..., Path]


def test_scale_and_offset_of_one_list_are_applied_to_another(score_file: ScoreFile) -> None:
    dev, test = score_file("dev.txt", seed=1, half=0), score_file("test.txt", seed=1, half=1)
    found = calibrate([dev], [test], p_target=0.5)
    fitted, applied = read_score_list(dev), read_score_list(test)
    assert fitted.is_target is not None
    expected = fit_fusion(fitted.scores[:, None], fitted.is_target, p_target=0.5)
    assert found.fusion == expected
    np.testing.assert_allclose(
        found.llrs.scores, expected.weights[0] * applied.scores + expected.offset
    )
    before, after = found.results.values()
    assert before["eer"] == pytest.approx(after["eer"])
    assert before["min_cllr"] == pytest.approx(after["min_cllr"])
    assert after["cllr"] < before["cllr"]


def test_two_systems_are_matched_by_trial_and_weighed(score_file: ScoreFile) -> None:
    dev = [score_file(f"dev{seed}.txt", seed=seed, half=0) for seed in (1, 2)]
    test = [score_file(f"test{seed}.txt", seed=seed, half=1) for seed in (1, 2)]
    found = calibrate(dev, test, p_target=0.5)
    heard = [[line.split() for line in sorted(path.read_text().splitlines())] for path in dev]
    assert [line[:2] for line in heard[0]] == [line[:2] for line in heard[1]]
    rows = [[float(a[2]), float(b[2])] for a, b in zip(*heard, strict=True)]
    expected = fit_fusion(rows, [line[3] == "target" for line in heard[0]], p_target=0.5)
    assert found.fusion.weights == pytest.approx(expected.weights)
    assert list(found.results) == [*map(str, test), "fused"]
    swapped = calibrate(dev[::-1], test[::-1], p_target=0.5)
    ratios = dict(zip(swapped.llrs.keys or (), swapped.llrs.scores, strict=True))
    assert found.llrs.keys is not None
    np.testing.assert_allclose(found.llrs.scores, [ratios[key] for key in found.llrs.keys])


def test_scores_without_labels_are_calibrated_but_not_measured(score_file: ScoreFile) -> None:
    dev, test = score_file("d", seed=1, half=0), score_file("t", seed=1, half=1, label=False)
    found = calibrate([dev], [test], p_target=0.01)
    assert found.results == {}
    assert found.llrs.is_target is None
    with pytest.raises(ValueError, match="has no labels to learn from"):
        calibrate([test], [dev], p_target=0.01)


def test_labels_of_any_system_serve_all(score_file: ScoreFile) -> None:
    dev = [score_file("d1", seed=1, half=0, label=False), score_file("d2", seed=2, half=0)]
    named = [score_file("d3", seed=1, half=0), dev[1]]
    test = [score_file("t1", seed=1, half=1), score_file("t2", seed=2, half=1)]
    found, expected = (calibrate(one, test, p_target=0.1) for one in (dev, named))
    assert found.fusion.weights == pytest.approx(expected.fusion.weights)


def test_shared_trials_and_unpaired_files_are_refused(score_file: ScoreFile) -> None:
    dev, test = score_file("dev.txt", seed=1), score_file("test.txt", seed=2, half=1)
    with pytest.raises(ValueError, match="138 trials are in both"):
        calibrate([dev], [test], p_target=0.01)
    with pytest.raises(ValueError, match="got 2 and 1 files"):
        calibrate([dev, dev], [test], p_target=0.01)


def test_a_trial_turned_round_is_the_same_trial(score_file: ScoreFile, tmp_path: Path) -> None:
    dev, turned = score_file("dev.txt", seed=1), tmp_path / "turned.txt"
    lines = [line.split() for line in dev.read_text().splitlines()]
    turned.write_text("".join(f"{b} {a} {' '.join(rest)}\n" for a, b, *rest in lines))
    with pytest.raises(ValueError, match="276 trials are in both"):
        calibrate([dev], [turned], p_target=0.01)


def test_scores_that_name_no_trials_are_refused_before_any_work(
    score_file: ScoreFile, tmp_path: Path
) -> None:
    nameless = tmp_path / "nemo.txt"
    nameless.write_text("-0.25\t0\n0.75\t1\n")
    with pytest.raises(ValueError, match="nemo names no utterances"):
        calibrate([score_file("dev.txt", seed=1)], [nameless], p_target=0.01)
