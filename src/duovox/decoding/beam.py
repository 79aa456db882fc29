"""Prefix beam search: the text whose paths together are the likeliest.

A text has many paths, one per way to spread its symbols and blanks over the frames. Greedy decoding
takes the best single path; where the probability of a text is spread over many, it reads another.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from duovox.decoding.text import BLANK, check_vocabulary, spellings
from duovox.decoding.word_tree import AnyText, Words, WordTree

# Probabilities of all paths to a prefix, those that end in a blank and those that do not, relative
# to the best prefix of the frame before: so nothing underflows but what has no chance.
_Beams = dict[int, tuple[float, float]]
_NEVER = (0.0, 0.0)
_LEAST = 1e-100


class _Prefixes:
    """All prefixes of one search, numbered: each is a shorter one and a symbol behind it.

    Args:
        words: what may be said.
    """

    def __init__(self, words: Words) -> None:
        self.words = words
        self.last = [BLANK]  # prefix 0 is the empty one
        self.shorter = [0]
        self.places = [words.start]  # of each prefix among the words
        self.numbers: dict[tuple[int, int], int | None] = {}

    def extend(self, prefix: int, symbol: int) -> int | None:
        """Return the number of the prefix with one more symbol; None if no word goes on so."""
        if (prefix, symbol) not in self.numbers:
            place = self.words.after(self.places[prefix], symbol)
            self.numbers[prefix, symbol] = None if place is None else len(self.last)
            if place is not None:
                self.last.append(symbol)
                self.shorter.append(prefix)
                self.places.append(place)
        return self.numbers[prefix, symbol]

    def is_whole(self, prefix: int) -> bool:
        """Tell whether the prefix ends with a whole word."""
        return self.words.may_end(self.places[prefix])

    def whole(self, prefix: int) -> int:
        """Return the prefix without a word that is cut off."""
        while not self.is_whole(prefix):
            prefix = self.shorter[prefix]
        return prefix

    def symbols(self, prefix: int) -> list[int]:
        """Return the symbols of a prefix."""
        symbols = []
        while prefix:
            symbols.append(self.last[prefix])
            prefix = self.shorter[prefix]
        return symbols[::-1]


@dataclass(frozen=True)
class BeamDecoder:
    """Search without language model, summing over the paths of each text.

    Args:
        vocabulary: V symbols; the first is the CTC blank, "|" the border between words.
        words: The only ones that can be said, such as the ten digits; None = any text.
        beam_size: Prefixes kept per frame.
        token_threshold: Symbols less likely in a frame than this (natural logarithm) are not
            tried there.

    Source: Graves 2012, Supervised Sequence Labelling with Recurrent Neural Networks, section 7.5;
    Hannun et al. 2014, First-Pass Large Vocabulary Continuous Speech Recognition using
    Bi-Directional Recurrent DNNs, algorithm 1.
    """

    vocabulary: Sequence[str]
    beam_size: int = 16
    token_threshold: float = -8.0
    words: Sequence[str] | None = None

    def __post_init__(self) -> None:
        _ = self._words  # misspelt ones are refused at once
        if self.beam_size < 1:
            raise ValueError(f"decoder.beam_size must be at least 1, got {self.beam_size}")
        if self.token_threshold >= 0:
            raise ValueError(
                "decoder.token_threshold is the logarithm of a probability and must be below 0, "
                f"got {self.token_threshold}"
            )

    @cached_property
    def _words(self) -> Words:
        return AnyText() if self.words is None else WordTree(self.words, self.vocabulary)

    def __call__(self, logits: Tensor, num_frames: Tensor) -> list[str]:
        """Return the text of each utterance; logits (B, T, V) on any device, num_frames (B,)."""
        check_vocabulary(logits.shape[-1], self.vocabulary)
        log_probabilities = torch.log_softmax(logits.detach().float(), dim=-1).cpu()
        spelling = spellings(self.vocabulary)
        return [
            "".join(spelling[symbol] for symbol in self.search(row[:length])).strip()
            for row, length in zip(log_probabilities, num_frames.tolist(), strict=True)
        ]

    def search(self, log_probabilities: Tensor) -> list[int]:
        """Return the likeliest symbols of one utterance; log_probabilities (T, V)."""
        is_tried = log_probabilities >= self.token_threshold
        is_tried[:, BLANK] = True  # a frame without any likely symbol says nothing
        best_tried = log_probabilities.masked_fill(~is_tried, -torch.inf).amax(1, keepdim=True)
        prefixes, beams = _Prefixes(self._words), {0: (1.0, 0.0)}
        relative = (log_probabilities - best_tried).double().exp()  # so that one of them is 1
        relative[:, BLANK].clamp_(min=_LEAST)  # a frame may ask for what no word goes on with
        for frame, tried in zip(relative, is_tried, strict=True):
            symbols = tried.nonzero()[1:, 0].tolist()
            blank, *scores = frame[tried].tolist()
            beams = _advance(beams, prefixes, blank, list(zip(symbols, scores, strict=True)))
            best = heapq.nlargest(self.beam_size, beams.items(), key=_score)
            scale = 1 / _score(best[0])
            beams = {prefix: (scale * b, scale * s) for prefix, (b, s) in best}
        whole = {prefix: beam for prefix, beam in beams.items() if prefixes.is_whole(prefix)}
        likeliest, _ = max((whole or beams).items(), key=_score)
        return prefixes.symbols(prefixes.whole(likeliest))


def _advance(
    beams: _Beams, prefixes: _Prefixes, blank: float, symbols: list[tuple[int, float]]
) -> _Beams:
    """Return the prefixes one frame later, given what the frame says of blank and symbols."""
    later: _Beams = {}
    for prefix, (in_blank, in_symbol) in beams.items():
        total = in_blank + in_symbol
        last = prefixes.last[prefix]
        held = 0.0
        for symbol, probability in symbols:
            before = total
            if symbol == last:  # held, the prefix stays; said anew, a blank lies between
                held = in_symbol * probability
                before = in_blank
            longer = prefixes.extend(prefix, symbol)
            if longer is None:
                continue
            ends_in_blank, said = later.get(longer, _NEVER)
            later[longer] = (ends_in_blank, said + before * probability)
        ends_in_blank, said = later.get(prefix, _NEVER)
        later[prefix] = (ends_in_blank + total * blank, said + held)
    return later


def _score(beam: tuple[int, tuple[float, float]]) -> float:
    return beam[1][0] + beam[1][1]
