"""Aligned words against jiwer's counts."""

from __future__ import annotations

import jiwer
import numpy as np
import pytest

from duovox.metric.word_alignment import AlignedWord, align, align_all, count_confusions


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


def test_many_pairs_are_aligned_as_each_alone() -> None:
    references, hypotheses = ["A B", "", "C"], ["A X", "B", "C"]
    pairs = zip(references, hypotheses, strict=True)
    assert align_all(references, hypotheses) == [align(*pair) for pair in pairs]


def test_confusions_are_counted_by_word_and_kind() -> None:
    alignments = align_all(["A B C", "B", "C B"], ["A X C", "X", "C B D"])
    counts = count_confusions(alignments)
    assert counts.most_common() == [
        (AlignedWord(kind="substitute", reference="B", hypothesis="X"), 2),
        (AlignedWord(kind="insert", reference=None, hypothesis="D"), 1),
    ]
    assert count_confusions(align_all(["A B"], ["A B"])) == {}
