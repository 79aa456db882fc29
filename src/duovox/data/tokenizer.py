"""Turn text into the characters that a CTC head predicts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

WORD_BORDER = "|"


class Tokenizer:
    """Map each character to its place in the vocabulary, a space to the word border `|`.

    Args:
        vocabulary: Symbols; the first is the CTC blank. Symbols of several characters, such as
            `<s>`, never stand for text.

    Raises:
        ValueError: a symbol comes twice.
    """

    def __init__(self, vocabulary: Sequence[str]) -> None:
        repeated = sorted({symbol for symbol in vocabulary if vocabulary.count(symbol) > 1})
        if repeated:
            raise ValueError(f"vocabulary must not repeat symbols, found twice: {repeated}")
        self.vocabulary = tuple(vocabulary)
        self._tokens = {s: n for n, s in enumerate(vocabulary) if n > 0 and len(s) == 1}
        if WORD_BORDER in self._tokens:
            self._tokens[" "] = self._tokens.pop(WORD_BORDER)

    def encode(self, text: str) -> list[int]:
        """Return one token per character; runs of white space count as one space.

        Raises:
            ValueError: `text` holds characters outside the vocabulary.
        """
        if unknown := self.unknown_characters(text):
            raise ValueError(
                f"characters {sorted(unknown)} of {text!r} are not in the vocabulary"
                f"{self.case_hint(text)}"
            )
        return [self._tokens[character] for character in _clean(text)]

    def encode_known(self, text: str) -> list[int]:
        """Return one token per known character, leaving the others out."""
        return [self._tokens[character] for character in _clean(text) if character in self._tokens]

    def unknown_characters(self, text: str) -> set[str]:
        """Return the characters of `text` that the vocabulary lacks."""
        return set(_clean(text)) - self._tokens.keys()

    def case_hint(self, text: str) -> str:
        """Return a clause on the case of the vocabulary where nothing else is wrong, else ""."""
        for case, changed in (("upper", text.upper()), ("lower", text.lower())):
            if not self.unknown_characters(changed):
                return f", which is in {case} case"
        return ""


def count_needed_frames(tokens: Sequence[int]) -> int:
    """Return the fewest frames for CTC: one per token, and a blank between equal neighbours."""
    return len(tokens) + sum(first == second for first, second in pairwise(tokens))


def _clean(text: str) -> str:
    return " ".join(text.split())
