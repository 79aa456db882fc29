from __future__ import annotations

import json
from pathlib import Path

import jiwer
import numpy as np
import pytest

from duovox.run.report.hypotheses import Hypothesis, align, read_hypotheses, worst


def utterance(reference: str, hypothesis: str, *, key: str = "a/b/c") -> Hypothesis:
    return Hypothesis(
        set_name="test",
        key=key,
        reference=reference,
        hypothesis=hypothesis,
        wer=jiwer.wer(reference, hypothesis),
        num_samples=24_000,
    )


def test_words_stand_over_what_was_heard_in_their_place() -> None:
    words = align("ONE TWO THREE", "ONE TOO THREE FOUR")
    assert [(word.kind, word.reference, word.hypothesis) for word in words] == [
        ("equal", "ONE", "ONE"),
        ("substitute", "TWO", "TOO"),
        ("equal", "THREE", "THREE"),
        ("insert", None, "FOUR"),
    ]


@pytest.mark.parametrize(("reference", "hypothesis"), [("", "A B"), ("A B", ""), ("A", "B")])
def test_alignments_of_nothing_are_insertions_or_deletions(reference: str, hypothesis: str) -> None:
    words = align(reference, hypothesis)
    assert [w.reference for w in words if w.reference] == reference.split()
    assert [w.hypothesis for w in words if w.hypothesis] == hypothesis.split()


def test_an_alignment_holds_all_words_and_as_many_errors_as_jiwer_counts() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        reference, hypothesis = (
            " ".join(rng.choice(list("ABCD"), size=rng.integers(1, 12))) for _ in range(2)
        )
        words = align(reference, hypothesis)
        counts = jiwer.process_words(reference, hypothesis)
        kinds = [word.kind for word in words]
        assert " ".join(word.reference for word in words if word.reference) == reference
        assert " ".join(word.hypothesis for word in words if word.hypothesis) == hypothesis
        assert kinds.count("substitute") == counts.substitutions
        assert kinds.count("delete") == counts.deletions
        assert kinds.count("insert") == counts.insertions


@pytest.mark.parametrize(
    ("reference", "hypothesis", "num_errors"), [("A B C", "A X", 2), ("", "A B", 2), ("A", "A", 0)]
)
def test_errors_follow_from_wer(reference: str, hypothesis: str, num_errors: int) -> None:
    assert utterance(reference, hypothesis).num_errors == num_errors


def test_the_worst_come_first_and_right_ones_not_at_all() -> None:
    utterances = [
        utterance("A B", "A B", key="right"),
        utterance("A B C D", "A B C X", key="quarter"),
        utterance("A", "X", key="one of one"),
        utterance("A B", "X Y", key="two of two"),
        utterance("A", "X Y", key="two of one"),
    ]
    order = [item.key for item in worst(utterances, count=10)]
    assert order == ["two of one", "two of two", "one of one", "quarter"]
    assert len(worst(utterances, count=2)) == 2


def test_a_file_is_read_with_its_set_name(tmp_path: Path) -> None:
    path = tmp_path / "test-clean.jsonl"
    line = {"key": "k", "reference": "Ä B", "hypothesis": "", "wer": 1.0, "num_samples": 24_000}
    path.write_text(json.dumps(line) + "\n" + json.dumps(line)[:20], encoding="utf-8")
    (only,) = read_hypotheses(path)
    assert (only.set_name, only.reference, only.seconds) == ("test-clean", "Ä B", 1.5)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text('{"key": "k", "reference": "", "hypothesis": "", "num_samples": 1}\n')
    with pytest.raises(ValueError, match=r"test\.jsonl must have .*; missing: \['wer'\]"):
        read_hypotheses(path)


@pytest.mark.parametrize("line", ["{broken", "[1, 2]"])
def test_a_damaged_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text(f"\n{line}\n")
    with pytest.raises(ValueError, match=r"test\.jsonl:2 must be a JSON object"):
        read_hypotheses(path)
