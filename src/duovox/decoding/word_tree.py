"""What a search may say: any text, or words of a list, as a tree of their symbols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from duovox.decoding.text import WORD_BORDER


class Words(Protocol):
    """Places in a text that is being spelt, symbol by symbol."""

    start: int

    def after(self, place: int, symbol: int) -> int | None:
        """Return the place behind one more symbol, or None where none may stand."""

    def may_end(self, place: int) -> bool:
        """Tell whether a text may end here."""


class AnyText:
    """Let every text be said."""

    start = 0

    def after(self, place: int, symbol: int) -> int | None:
        """Return the only place there is."""
        return place

    def may_end(self, place: int) -> bool:
        """Return True."""
        return True


class WordTree:
    """Let words of a list be said, with borders between them.

    Args:
        words: at least one, each spelt in symbols of the vocabulary.
        vocabulary: V symbols; "|" is the border between words. Without it one word can be said.

    Raises:
        ValueError: there is no word, or one can't be spelt.
    """

    start = 0

    def __init__(self, words: Sequence[str], vocabulary: Sequence[str]) -> None:
        symbols = {symbol: place for place, symbol in enumerate(vocabulary)}
        if not words or isinstance(words, str):
            raise ValueError(f"decoder.words must list the words that can be said, got {words!r}")
        self._border = symbols.get(WORD_BORDER)
        self._next: dict[tuple[int, int], int] = {}
        self._ends = {self.start}
        for word in words:
            if not word or any(letter not in symbols for letter in word):
                raise ValueError(
                    f"decoder.words has {word!r}, which the vocabulary can't spell: its symbols "
                    f"are {' '.join(vocabulary[1:])}"
                )
            self._add([symbols[letter] for letter in word])

    def after(self, place: int, symbol: int) -> int | None:
        """Return the place behind one more symbol; a border ends a word and begins the next."""
        if symbol == self._border:
            return self.start if place in self._ends else None
        return self._next.get((place, symbol))

    def may_end(self, place: int) -> bool:
        """Tell whether a word ends here, or none has begun."""
        return place in self._ends

    def _add(self, spelling: list[int]) -> None:
        place = self.start
        for symbol in spelling:
            place = self._next.setdefault((place, symbol), len(self._next) + 1)
        self._ends.add(place)
