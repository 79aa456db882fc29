"""A small language model, its lexicon, and the way to flashlight."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from duovox.decoding.lexicon import write_lexicon
from duovox.decoding.ngram import NgramEstimate

SENTENCES = ("AB A", "A A AB", "BA", "AB BA A", "A AB AB", "")


@pytest.fixture
def sentences() -> Sequence[str]:
    """What the language models were estimated from."""
    return SENTENCES


@pytest.fixture
def lm(tmp_path: Path, flashlight: None) -> Path:
    """Write a bigram model of the words of SENTENCES."""
    return write_lm(tmp_path / "lm.arpa", [sentence.split() for sentence in SENTENCES])


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    """Write the words of SENTENCES."""
    write_lexicon(" ".join(SENTENCES).split(), tmp_path / "lexicon.txt")
    return tmp_path / "lexicon.txt"


@pytest.fixture
def letter_lm(tmp_path: Path, flashlight: None) -> Path:
    """Write a trigram model of the letters and borders of SENTENCES."""
    letters = [list(sentence.replace(" ", "|")) for sentence in SENTENCES]
    return write_lm(tmp_path / "letters.arpa", letters, order=3)


def write_lm(path: Path, sentences: list[list[str]], *, order: int = 2) -> Path:
    """Write the estimate of some sentences."""
    path.write_text("\n".join(NgramEstimate(sentences, order=order).arpa()) + "\n")
    return path
