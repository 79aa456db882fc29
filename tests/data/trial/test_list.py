"""Trial lists are read in both forms, recognised, resolved, drawn and checked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from duovox.data.trial.list import TrialList, read_trials, write_trials


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


FORMS = {
    "voxceleb": "1 a/b/c.wav a/b/d.wav\n0 a/b/c.wav e/f/g.wav\n",
    "kaldi": "a/b/c.wav a/b/d.wav target\na/b/c.wav e/f/g.wav nontarget\n",
    "tabs and blank lines": "\n1\ta/b/c.wav  a/b/d.wav \r\n\n0 a/b/c.wav e/f/g.wav",
    "byte order mark": "\ufeff1 a/b/c.wav a/b/d.wav\n0 a/b/c.wav e/f/g.wav\n",
}


@pytest.mark.parametrize("form", FORMS)
def test_both_forms_are_read(form, tmp_path: Path):
    trials = read_trials(write(tmp_path / "list.txt", FORMS[form]))
    assert trials.name == "list"
    assert trials.enroll == ("a/b/c.wav", "a/b/c.wav")
    assert trials.test == ("a/b/d.wav", "e/f/g.wav")
    assert trials.is_target.tolist() == [True, False]
    assert (len(trials), trials.num_targets) == (2, 1)


def test_what_is_written_is_read_back(tmp_path: Path):
    trials = read_trials(write(tmp_path / "list.txt", FORMS["kaldi"]))
    write_trials(trials, tmp_path / "new" / "list.txt")
    assert (tmp_path / "new" / "list.txt").read_text() == FORMS["voxceleb"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "holds no trials"),
        ("a b\n", "line 1: 'a b' does not fit"),
        ("2 a b\n", "line 1: '2 a b' does not fit"),
        ("1 a b\n0 a\n", "line 2: '0 a' does not fit"),
        ("1 a b\n\na b target\n", "line 3: 'a b target' does not fit"),
        ("a b target\na b maybe\n", "line 2: 'a b maybe' does not fit"),
        ("1 a b\n1 a c\n", "holds target trials alone"),
        ("a b nontarget\n", "holds non-target trials alone"),
    ],
)
def test_lists_that_cannot_be_scored_are_refused_by_line(text, says, tmp_path: Path):
    with pytest.raises(ValueError, match=says):
        read_trials(write(tmp_path / "list.txt", text))


def test_a_list_in_another_encoding_is_named(tmp_path: Path):
    path = tmp_path / "list.txt"
    path.write_bytes("1 jürgen/a jürgen/b\n".encode("latin-1"))
    with pytest.raises(ValueError, match=rf"^{path} is no UTF-8 text, .*byte 0xfc in position 3"):
        read_trials(path)


def test_a_missing_list_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"there is no trial list .*list\.txt"):
        read_trials(tmp_path / "list.txt")


@pytest.mark.parametrize(
    ("file", "num_targets", "known_as"),
    [
        ("veri_test.txt", 18_860, "VoxCeleb1-O, original"),
        ("veri_test2.txt", 18_802, "VoxCeleb1-O, cleaned"),
    ],
)
def test_the_official_lists_are_read_and_recognised(file, num_targets, known_as, speech_data):
    trials = read_trials(speech_data / "voxceleb_meta" / file)
    assert trials.num_targets == num_targets
    assert trials.known_as == known_as
    cleaned = "papers report the cleaned one, veri_test2.txt with 37611"
    assert (cleaned in trials.caution) is (file == "veri_test.txt")
    speakers = {entry.split("/")[0] for entry in (*trials.enroll, *trials.test)}
    assert len(speakers) == 40


def test_other_lists_of_the_same_length_are_not_voxceleb():
    number = 37_611
    is_target = np.arange(number) % 2 == 0
    trials = TrialList(name="x", enroll=("a",) * number, test=("b",) * number, is_target=is_target)
    assert trials.known_as is None


def test_a_list_has_one_label_per_pair():
    with pytest.raises(ValueError, match="equally long"):
        TrialList(name="x", enroll=("a",), test=("b", "c"), is_target=np.array([True]))
