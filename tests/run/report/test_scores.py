from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duovox.run.report.scores import ScoredTrials, hardest, read_scores
from duovox.run.report.speaker_section import hardest_trials


def trials(name: str, scores: list[float], is_target: list[bool]) -> ScoredTrials:
    numbers = range(len(scores))
    return ScoredTrials(
        name=name,
        enroll_keys=tuple(f"{name}/e{i}" for i in numbers),
        test_keys=tuple(f"{name}/t{i}" for i in numbers),
        scores=np.array(scores),
        is_target=np.array(is_target),
    )


def test_a_score_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "vox1_o.txt"
    path.write_text("a/b/1 a/c/2 0.75 target\na/b/1 d/e/3 -0.25 nontarget\n")
    read = read_scores(path)
    assert (read.name, len(read), read.has_both_classes) == ("vox1_o", 2, True)
    assert read.enroll_keys == ("a/b/1", "a/b/1")
    assert read.test_keys == ("a/c/2", "d/e/3")
    assert read.scores.tolist() == [0.75, -0.25]
    assert read.is_target.tolist() == [True, False]


def test_an_empty_score_file_has_no_trials(tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("")
    read = read_scores(path)
    assert len(read) == 0
    assert not read.has_both_classes


@pytest.mark.parametrize("line", ["a b 0.5", "a b 0.5 1", "a b nan target", "a b x target", ""])
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(f"a b 0.5 target\n{line}\n")
    with pytest.raises(ValueError, match=r"bad\.txt:2 must read `enroll test score target|nontarg"):
        read_scores(path)


@pytest.mark.parametrize("is_target", [True, False])
def test_the_hardest_trials_are_those_of_all_lists_together(is_target: bool) -> None:
    rng = np.random.default_rng(0)
    lists = [
        trials(name, rng.normal(size=50).tolist(), (rng.random(50) > 0.5).tolist())
        for name in ("one", "two")
    ]
    scores = np.concatenate([t.scores[t.is_target == is_target] for t in lists])
    expected = np.sort(scores)[:5] if is_target else np.sort(scores)[::-1][:5]
    found = hardest(lists, count=5, is_target=is_target)
    assert [trial.score for trial in found] == expected.tolist()
    assert all(trial.is_target == is_target for trial in found)
    assert all(trial.enroll_key.startswith(trial.list_name) for trial in found)


def test_fewer_trials_than_wanted_are_all_shown() -> None:
    lists = [trials("one", [0.1, 0.2], [True, False])]
    assert len(hardest(lists, count=5, is_target=True)) == 1


def test_normalised_scores_are_no_cosines_and_not_among_the_hardest_trials() -> None:
    plain = trials("list", [0.9, 0.1], [False, True])
    normalised = trials("list.as_norm", [4.0, -4.0], [False, True])
    assert (plain.are_cosines, normalised.are_cosines) == (True, False)
    table = hardest_trials([normalised, plain])
    assert "0.900" in table
    assert "4.000" not in table
