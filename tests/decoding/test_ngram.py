"""The estimate of an n-gram against its formula written out, its sum, and what KenLM reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from duovox.decoding.kenlm import load_lm
from duovox.decoding.ngram import NgramEstimate

SENTENCES = [s.split() for s in ("AB A", "A A AB", "BA", "AB BA A", "A AB AB C", "")]
WORDS = ("A", "AB", "BA", "C", "</s>", "<unk>")


def by_hand(word: str, history: tuple[str, ...]) -> float:
    """Return Witten and Bell's estimate, counting anew in the text for every number."""
    texts = [("<s>", *sentence, "</s>") for sentence in SENTENCES]
    size = len(history)
    seen = [
        text[place + size]
        for text in texts
        for place in range(len(text) - size)
        if text[place : place + size] == history and place + size > 0
    ]
    kinds = len(set(seen))
    shorter = by_hand(word, history[1:]) if history else 1 / (kinds + 1)
    return (seen.count(word) + kinds * shorter) / (len(seen) + kinds) if seen else shorter


HISTORIES = [(), ("A",), ("<s>",), ("A", "AB"), ("<s>", "A"), ("C", "A"), ("AB", "AB"), ("<unk>",)]


@pytest.mark.parametrize("history", HISTORIES)
def test_probabilities_are_those_counted_by_hand_and_sum_to_one(history: tuple[str, ...]) -> None:
    estimate = NgramEstimate(SENTENCES, order=3)
    chances = [estimate.probability(word, history) for word in WORDS]
    assert chances == pytest.approx([by_hand(word, history) for word in WORDS])
    assert sum(chances) == pytest.approx(1)


@pytest.mark.parametrize("order", [2, 4])
def test_kenlm_reads_the_file_as_it_was_meant(tmp_path: Path, flashlight: None, order: int) -> None:
    estimate = NgramEstimate(SENTENCES, order=order)
    path = tmp_path / "lm.arpa"
    path.write_text("\n".join(estimate.arpa()) + "\n")
    model = load_lm(path, WORDS[:4])
    for sentence in [*SENTENCES, ["C", "BA"], ["A", "X", "AB", "C"]]:
        state, said, score = model.start(False), ("<s>",), 0.0
        for word in sentence:
            state, one = model.score(state, WORDS.index(word) if word in WORDS else 4)
            expected = estimate.probability(word, said[max(0, len(said) - order + 1) :])
            assert 10**one == pytest.approx(expected, rel=1e-4), (sentence, word)
            said, score = (*said, word if word in WORDS else "<unk>"), score + one
        _, end = model.finish(state)
        assert 10**end == pytest.approx(
            estimate.probability("</s>", said[max(0, len(said) - order + 1) :]), rel=1e-4
        )


def test_an_estimate_needs_sentences_and_an_order() -> None:
    with pytest.raises(ValueError, match="at least one sentence"):
        NgramEstimate([], order=2)
    for order in (1, 7):
        with pytest.raises(ValueError, match=rf"order must lie in 2 to 6, got {order}"):
            NgramEstimate(SENTENCES, order=order)


@pytest.mark.parametrize("mark", ["<s>", "</s>", "<unk>"])
def test_a_mark_of_the_model_is_no_word(mark: str) -> None:
    with pytest.raises(ValueError, match=rf"{mark} can't be a word.*Take it out of .*: A {mark} B"):
        NgramEstimate([["A", mark, "B"]], order=2)


def test_longer_ngrams_than_kenlm_reads_are_told(tmp_path: Path, flashlight: None) -> None:
    counts = "".join(f"ngram {order}=1\n" for order in range(1, 8))
    (tmp_path / "lm.arpa").write_text(f"\\data\\\n{counts}\n\\1-grams:\n")
    with pytest.raises(ValueError, match=r"not what KenLM reads: This model has order 7"):
        load_lm(tmp_path / "lm.arpa", WORDS[:4])
