"""Error rates against jiwer and a textbook edit distance."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duovox.metric.wer import (
    character_error_rate,
    count_character_edits,
    count_word_edits,
    error_rate,
    word_error_rate,
)

words = st.lists(st.sampled_from(["A", "B", "C", "DD"]), max_size=7).map(" ".join)
pairs = st.lists(st.tuples(words, words), min_size=1, max_size=6)


def edit_distance(reference: Sequence[str], hypothesis: Sequence[str]) -> int:
    row = list(range(len(hypothesis) + 1))
    for i, expected in enumerate(reference, start=1):
        diagonal, row[0] = row[0], i
        for j, found in enumerate(hypothesis, start=1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (expected != found)),
            )
    return row[-1]


@given(pairs)
def test_edits_of_each_utterance_equal_the_edit_distance(texts: list[tuple[str, str]]) -> None:
    references, hypotheses = zip(*texts, strict=True)
    by_word = [edit_distance(r.split(), h.split()) for r, h in texts]
    assert count_word_edits(references, hypotheses).errors.tolist() == by_word
    by_character = [edit_distance(r, h) for r, h in texts]
    assert count_character_edits(references, hypotheses).errors.tolist() == by_character


def test_rates_equal_jiwer_on_a_corpus() -> None:
    import jiwer

    vocabulary = ["ONE", "TWO", "THREE", "FOUR", "FIVE"]
    references = [" ".join(random.choices(vocabulary, k=random.randint(0, 9))) for _ in range(60)]
    hypotheses = [" ".join(random.choices(vocabulary, k=random.randint(0, 9))) for _ in range(60)]
    expected = jiwer.process_words(references, hypotheses)
    found = word_error_rate(references, hypotheses)
    assert found.wer == pytest.approx(expected.wer)
    assert (found.substitutions, found.deletions, found.insertions) == (
        expected.substitutions,
        expected.deletions,
        expected.insertions,
    )
    assert found.num_words == sum(len(reference.split()) for reference in references)
    assert character_error_rate(references, hypotheses).cer == pytest.approx(
        jiwer.cer(references, hypotheses)
    )


def test_the_rate_is_over_the_corpus_not_the_mean_of_utterances() -> None:
    found = word_error_rate(["A", "A B C D"], ["B", "A B C D"])
    assert found.wer == pytest.approx(0.2)
    assert (found.substitutions, found.num_words) == (1, 5)


def test_an_empty_reference_counts_its_insertions() -> None:
    assert word_error_rate([""], ["A"]).wer == 1.0
    assert word_error_rate([""], [""]).wer == 0.0
    assert word_error_rate(["", "A B"], ["A B", "A"]).wer == pytest.approx(1.5)


def test_white_space_is_one_border_whatever_its_width() -> None:
    assert word_error_rate(["A  B "], [" A B"]).wer == 0.0
    assert character_error_rate(["A  B "], [" A B"]).num_characters == 3
    assert error_rate(count_character_edits(["A B"], ["AB"])) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("references", "hypotheses"), [(["A"], []), ([], [])])
def test_lists_that_do_not_pair_are_refused(references: list[str], hypotheses: list[str]) -> None:
    with pytest.raises(ValueError, match="every reference needs one hypothesis"):
        word_error_rate(references, hypotheses)
