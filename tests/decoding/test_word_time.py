"""Words stand where their characters stand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from duovox.decoding.greedy import decode
from duovox.decoding.word_time import word_spans

VOCABULARY = ("<pad>", "|", "A", "B", "<s>")


def logits_of(path: str, *, surely: float = 20.0) -> Tensor:
    """Return logits (T, V) that say a path of one character a frame; "-" is the blank."""
    symbols = ["-", "|", "A", "B"]
    rows = torch.tensor([symbols.index(character) for character in path])
    return surely * torch.nn.functional.one_hot(rows, len(VOCABULARY)).float()


def test_a_word_reaches_from_its_first_character_to_its_last() -> None:
    logits = logits_of("--AA-B-|--|BB--A-A|-")
    (text,) = decode(logits[None], torch.tensor([len(logits)]), VOCABULARY)
    assert text.split() == ["AB", "BAA"]
    found = word_spans(logits, text, VOCABULARY)
    assert [(span.word, span.first_frame, span.stop_frame) for span in found] == [
        ("AB", 2, 6),
        ("BAA", 11, 18),
    ]
    assert all(span.score > 0.99 for span in found)


def test_a_doubtful_word_has_a_lower_score() -> None:
    logits = torch.cat([logits_of("-A-|"), logits_of("-B-", surely=2.0)])
    sure, doubtful = word_spans(logits, "A B", VOCABULARY)
    assert sure.score > 0.99
    assert doubtful.score == pytest.approx(torch.softmax(logits[5], dim=-1)[3].item())


def test_nothing_said_is_no_word() -> None:
    assert word_spans(logits_of("----"), "", VOCABULARY) == []


def test_a_vocabulary_without_borders_has_words_all_the_same() -> None:
    logits = logits_of("-AB-")[:, [0, 2, 3]]
    (span,) = word_spans(logits, "AB", ("<pad>", "A", "B"))
    assert (span.first_frame, span.stop_frame) == (1, 3)


def test_a_character_outside_the_vocabulary_is_named() -> None:
    with pytest.raises(ValueError, match=r"'AC' can't be timed: the vocabulary lacks \['C'\]"):
        word_spans(logits_of("-A-"), "AC", VOCABULARY)
