from __future__ import annotations

import json
from pathlib import Path

import jiwer
import pytest

from duovox.run.report.hypotheses import Hypothesis, read_hypotheses, worst


def utterance(reference: str, hypothesis: str, *, key: str = "a/b/c") -> Hypothesis:
    return Hypothesis(
        set_name="test",
        key=key,
        reference=reference,
        hypothesis=hypothesis,
        wer=jiwer.wer(reference, hypothesis),
        num_samples=24_000,
    )


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
