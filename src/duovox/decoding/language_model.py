"""A language model with what it is asked about: the words of a lexicon, or single symbols."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duovox.decoding.kenlm import load_lm
from duovox.decoding.lexicon import Lexicon, read_lexicon
from duovox.decoding.text import WORD_BORDER


@dataclass(frozen=True, kw_only=True)
class LanguageModel:
    """What takes long to load, and serves any number of searches."""

    lm: Any  # KenLM's
    lexicon: Lexicon | None = None  # None: of single symbols
    trie: Any = None  # flashlight's tree of the lexicon's spellings

    @classmethod
    def load(cls, lm: Path, lexicon: Path | None, vocabulary: Sequence[str]) -> LanguageModel:
        """Load an n-gram of words with its lexicon, or of symbols without.

        Raises:
            ValueError: a file is missing or damaged, or one knows nothing of the other.
        """
        if lexicon is None:
            return cls(lm=_load_symbols(lm, vocabulary))
        words = read_lexicon(lexicon, vocabulary)
        model = load_lm(lm, words.words)
        return cls(lm=model, lexicon=words, trie=_trie(words, model, vocabulary))


def _load_symbols(path: Path, vocabulary: Sequence[str]) -> Any:
    model = load_lm(path, vocabulary)
    start, border = model.start(False), list(vocabulary).index(WORD_BORDER)
    if model.score(start, border)[1] == model.score(start, len(vocabulary))[1]:
        warnings.warn(
            f"the language model {path} does not know {WORD_BORDER!r}, the border between words. "
            "An n-gram of words needs decoder.lexicon",
            stacklevel=3,
        )
    return model


def _trie(lexicon: Lexicon, lm: Any, vocabulary: Sequence[str]) -> Any:
    """Return the lexicon as a tree of symbols; the likeliest word shows at every branch."""
    from flashlight.lib.text.decoder import SmearingMode, Trie

    border = list(vocabulary).index(WORD_BORDER)
    trie, start = Trie(len(vocabulary), border), lm.start(False)
    for word, ways in enumerate(lexicon.spellings):
        _, score = lm.score(start, word)
        for spelling in ways:
            trie.insert([*spelling, border], word, score)
    trie.smear(SmearingMode.MAX)
    return trie
