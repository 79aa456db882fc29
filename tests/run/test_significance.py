"""Two runs are compared on what both were asked, and on nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import jiwer
import numpy as np
import pytest

from duovox.metric.eer import equal_error_rate
from duovox.run.significance import compare_runs

SAID = {f"s{n % 5}/a/{n:03d}": "ONE TWO THREE FOUR" for n in range(60)}


def write_texts(folder: Path, name: str, said: Mapping[str, str], heard: Sequence[str]) -> None:
    (folder / "hypotheses").mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps(
            {
                "key": key,
                "reference": reference,
                "hypothesis": text,
                "wer": jiwer.wer(reference, text),
                "num_samples": 16_000,
            }
        )
        for (key, reference), text in zip(said.items(), heard, strict=True)
    ]
    (folder / "hypotheses" / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def heard_with(rate: float, seed: int) -> list[str]:
    generator = np.random.default_rng(seed)
    return [
        " ".join("X" if generator.random() < rate else word for word in text.split())
        for text in SAID.values()
    ]


def write_scores(folder: Path, *, noise: float, num_kept: int = 400) -> tuple[list, list]:
    generator = np.random.default_rng(0)
    speakers = generator.integers(20, size=(2, 400))
    speakers[1, ::2] = speakers[0, ::2]
    targets = speakers[0] == speakers[1]
    scores = targets + noise * generator.standard_normal(400)
    lines = [
        f"s{enroll}/a/{n} s{test}/b/{n} {score:.6f} {'target' if target else 'nontarget'}"
        for n, (enroll, test, score, target) in enumerate(
            zip(*speakers, scores, targets, strict=True)
        )
    ]
    lines = lines[:num_kept]
    generator.shuffle(lines)  # their order is no part of a list
    (folder / "scores").mkdir(parents=True, exist_ok=True)
    (folder / "scores" / "voices.txt").write_text("\n".join(lines) + "\n")
    return scores.tolist(), targets.tolist()


def test_the_better_of_two_runs_is_found(tmp_path: Path) -> None:
    first, second = heard_with(0.5, seed=1), heard_with(0.2, seed=2)
    write_texts(tmp_path / "a", "digits", SAID, first)
    write_texts(tmp_path / "b", "digits", SAID, second)
    (found,) = compare_runs(tmp_path / "a", tmp_path / "b")
    assert (found.set_name, found.measure) == ("digits", "wer")
    assert found.first == pytest.approx(jiwer.wer(list(SAID.values()), first))
    assert found.second == pytest.approx(jiwer.wer(list(SAID.values()), second))
    assert found.difference.difference == pytest.approx(found.second - found.first)
    assert found.difference.is_significant
    assert found.difference.interval.high < 0


def test_utterances_may_come_in_another_order(tmp_path: Path) -> None:
    heard = heard_with(0.3, seed=1)
    write_texts(tmp_path / "a", "digits", SAID, heard)
    write_texts(tmp_path / "b", "digits", dict(reversed(SAID.items())), heard[::-1])
    (found,) = compare_runs(tmp_path / "a", tmp_path / "b")
    assert found.difference.p_value == 1
    assert found.difference.interval.low == found.difference.interval.high == 0


def test_trials_are_compared_over_speakers(tmp_path: Path) -> None:
    scores, labels = write_scores(tmp_path / "a", noise=0.9)
    better, _ = write_scores(tmp_path / "b", noise=0.4)
    (found,) = compare_runs(tmp_path / "a", tmp_path / "b")
    assert (found.set_name, found.measure) == ("voices", "eer")
    assert found.first == pytest.approx(equal_error_rate(scores, labels).eer, abs=1e-5)
    assert found.second == pytest.approx(equal_error_rate(better, labels).eer, abs=1e-5)
    assert found.difference.is_significant


def test_sets_that_differ_are_refused(tmp_path: Path) -> None:
    heard = heard_with(0.3, seed=1)
    write_texts(tmp_path / "a", "digits", SAID, heard)
    write_texts(tmp_path / "b", "digits", {**SAID, "s0/a/000": "OTHER WORDS"}, heard)
    message = (
        r"digits is not the same set in both runs.*1 of 60 are in the first alone, 1 of 60 in the "
        r"second, such as \('s0/a/000', 'ONE TWO THREE FOUR'\)"
    )
    with pytest.raises(ValueError, match=message):
        compare_runs(tmp_path / "a", tmp_path / "b")


def test_trials_that_differ_are_refused(tmp_path: Path) -> None:
    write_scores(tmp_path / "a", noise=0.5)
    write_scores(tmp_path / "b", noise=0.5, num_kept=399)
    with pytest.raises(ValueError, match=r"voices is not the same set.*1 of 400 are in the first"):
        compare_runs(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("name", [None, "digits", "letters"])
def test_runs_without_a_common_set_are_refused(tmp_path: Path, name: str | None) -> None:
    write_texts(tmp_path / "a", "digits", SAID, heard_with(0.1, seed=1))
    write_texts(tmp_path / "b", "letters", SAID, heard_with(0.1, seed=1))
    with pytest.raises(
        ValueError, match=r"that both runs have scored: .*a has digits; .*b has let"
    ):
        compare_runs(tmp_path / "a", tmp_path / "b", set_name=name)


def test_only_the_named_set_is_compared(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_texts(tmp_path / name, "digits", SAID, heard_with(0.1, seed=1))
        write_texts(tmp_path / name, "letters", SAID, heard_with(0.1, seed=1))
    (found,) = compare_runs(tmp_path / "a", tmp_path / "b", set_name="letters")
    assert found.set_name == "letters"
