"""Score files of four systems, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from duovox.data.trial.score_list import read_score_list, write_score_list

KEYS = (("a/1.wav", "b/2.wav"), ("a/1.wav", "a/3.wav"))
FORMS = {
    "wespeaker": "a/1.wav b/2.wav -0.25 nontarget\na/1.wav a/3.wav 7.5e-1 target\n",
    "wespeaker AS-norm": "a/1.wav b/2.wav -0.25 nontarget 1.0 2.0 0.1 0.2\n"
    "a/1.wav a/3.wav 0.75 target 1.0 2.0 0.1 0.2\n",
    "SpeechBrain": "a/1.wav b/2.wav 0 -0.250000\na/1.wav a/3.wav 1 0.750000\n",
    "Kaldi": "a/1.wav b/2.wav -0.25\n\na/1.wav a/3.wav 0.75\n",
    "NeMo": "-0.25\t0\n0.75\t1\n",
}


@pytest.mark.parametrize("system", FORMS)
def test_every_form_is_read(system: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.txt"
    path.write_text(FORMS[system])
    found = read_score_list(path)
    assert found.scores.tolist() == [-0.25, 0.75]
    assert found.keys == (None if system == "NeMo" else KEYS)
    labels = None if found.is_target is None else found.is_target.tolist()
    assert labels == (None if system == "Kaldi" else [False, True])


@pytest.mark.parametrize("system", ["SpeechBrain", "Kaldi"])
def test_what_is_written_is_read_again(system: str, tmp_path: Path) -> None:
    path, out = tmp_path / "scores.txt", tmp_path / "new" / "out.txt"
    path.write_text(FORMS[system])
    write_score_list(read_score_list(path), out)
    lines = [line.split() for line in out.read_text().splitlines()]
    kinds = [["nontarget"], ["target"]] if system == "SpeechBrain" else [[], []]
    assert [line[3:] for line in lines] == kinds
    assert read_score_list(out).scores.tolist() == [-0.25, 0.75]
    assert read_score_list(out).keys == KEYS


def test_a_trial_may_stand_twice_with_one_score(tmp_path: Path) -> None:
    path = tmp_path / "scores.txt"
    path.write_text("a b 0.5 target\na c 0.1 nontarget\na b 0.5 target\n")
    assert len(read_score_list(path)) == 3


def test_tiny_scores_stay_apart(tmp_path: Path) -> None:
    path, out = tmp_path / "scores.txt", tmp_path / "out.txt"
    path.write_text("a b 1.23456789e-12 target\na c 1.23456788e-12 nontarget\n")
    write_score_list(read_score_list(path), out)
    assert read_score_list(out).scores.tolist() == [1.23456789e-12, 1.23456788e-12]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b nan target\n", r"line 1: 'a b nan target' does not fit"),
        ("a b 0.5 target\na c inf nontarget\n", "line 2"),
        ("a b 0.5 target\na c 0.5\n", "line 2"),
        ("a b 0.5\na c 0.5 target\n", "line 2"),
        ("a b 0.5 target\na c 0.5 maybe\n", "line 2"),
        ("0.5\t1\n0.5\t2\n", "line 2"),
        ("just\n", "line 1"),
        ("a b 0.5 target\na b 0.6 target\n", r"scores\.txt has two scores for the trial a b"),
        ("a b 0.5 target\na b 0.5 nontarget\n", "two labels for the trial a b"),
        ("\n", "holds no scores"),
    ],
)
def test_a_line_that_does_not_fit_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.txt"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_score_list(path)


def test_scores_without_names_are_not_written_nor_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "scores.txt"
    path.write_text(FORMS["NeMo"])
    scores = read_score_list(path)
    with pytest.raises(ValueError, match="names no utterances"):
        write_score_list(scores, tmp_path / "out.txt")
    with pytest.raises(ValueError, match="names no utterances"):
        scores.by_key()


def test_a_trial_with_two_scores_is_refused_and_a_repeated_one_is_not(tmp_path: Path) -> None:
    path = tmp_path / "scores.txt"
    path.write_text("a b 0.5\na b 0.5\n")
    assert read_score_list(path).by_key() == {("a", "b"): 1}
    path.write_text("a b 0.5\na b 0.6\n")
    with pytest.raises(ValueError, match="two scores for the trial a b"):
        read_score_list(path).by_key()
