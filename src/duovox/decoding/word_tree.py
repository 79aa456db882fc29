"""The words of a list as a tree of their symbols."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from duovox.decoding.text import WORD_BORDER

_ROOT = 0


class WordTree:
    """Tell which symbols may follow where only words of a list can be said.

    Any number of borders may stand before, between and behind words.

    Args:
        words: at least one, each spelt in symbols of the vocabulary.
        vocabulary: V symbols; "|" is the border between words. Without it one word can be said.

    Raises:
        ValueError: there is no word, or one can't be spelt.
    """

    children: NDArray[np.int64]  # (nodes, V): the node behind one more symbol; -1: none; 0: root
    is_end: NDArray[np.bool_]  # (nodes,): a word ends here, or none has begun

    def __init__(self, words: Sequence[str], vocabulary: Sequence[str]) -> None:
        if not words or isinstance(words, str):
            raise ValueError(f"decoder.words must list the words that can be said, got {words!r}")
        nodes = {"": _ROOT}  # by the beginning of a word that they stand for
        for word in words:
            _check(word, vocabulary)
            for end in range(1, len(word) + 1):
                nodes.setdefault(word[:end], len(nodes))
        self.is_end = np.isin(list(nodes), ["", *words])
        self.children = np.full((len(nodes), len(vocabulary)), -1)
        symbols = {symbol: place for place, symbol in enumerate(vocabulary)}
        for beginning, node in nodes.items():
            if beginning:
                self.children[nodes[beginning[:-1]], symbols[beginning[-1]]] = node
        if WORD_BORDER in symbols:
            self.children[self.is_end, symbols[WORD_BORDER]] = _ROOT


def _check(word: str, vocabulary: Sequence[str]) -> None:
    if not word or any(letter not in vocabulary[1:] for letter in word):
        raise ValueError(
            f"decoder.words has {word!r}, which the vocabulary can't spell: its symbols are "
            f"{' '.join(vocabulary[1:])}"
        )
