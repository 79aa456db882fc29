"""Prefix beam search: the text whose paths together are the likeliest.

A text has many paths, one per way to spread its symbols and blanks over the frames. Greedy decoding
takes the best single path; where the probability of a text is spread over many, it reads another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from duovox.decoding.text import BLANK, check_vocabulary, spellings
from duovox.decoding.word_tree import WordTree

_Floats = NDArray[np.float64]
_Places = NDArray[np.int64]
_LEAST = 1e-100  # of a frame's blank: it may ask for nothing that a word goes on with


@dataclass(frozen=True)
class BeamDecoder:
    """Search without language model, summing over the paths of each text.

    Args:
        vocabulary: V symbols; the first is the CTC blank, "|" the border between words.
        beam_size: Prefixes kept per frame.
        token_threshold: Symbols less likely in a frame than this (natural logarithm) are not tried
            there, and prefixes that are so much less likely than the best are dropped.
        words: The only ones that can be said, such as the ten digits; None = any text.

    Source: Graves 2012, Supervised Sequence Labelling with Recurrent Neural Networks, section 7.5;
    Hannun et al. 2014, First-Pass Large Vocabulary Continuous Speech Recognition using
    Bi-Directional Recurrent DNNs, algorithm 1.
    """

    vocabulary: Sequence[str]
    beam_size: int = 16
    token_threshold: float = -8.0
    words: Sequence[str] | None = None

    def __post_init__(self) -> None:
        _ = self._tree  # misspelt words are refused at once
        if self.beam_size < 1:
            raise ValueError(f"decoder.beam_size must be at least 1, got {self.beam_size}")
        if self.token_threshold >= 0:
            raise ValueError(
                "decoder.token_threshold is the logarithm of a probability and must be below 0, "
                f"got {self.token_threshold}"
            )

    @cached_property
    def _tree(self) -> WordTree | None:
        return None if self.words is None else WordTree(self.words, self.vocabulary)

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
        scores = log_probabilities.numpy()
        is_tried = scores >= self.token_threshold
        is_tried[:, BLANK] = True  # a frame without any likely symbol says nothing
        tried = np.where(is_tried, scores, -np.inf).astype(np.float64)
        relative = np.exp(tried - tried.max(axis=1, keepdims=True))  # so that one of them is 1
        relative[:, BLANK] = relative[:, BLANK].clip(min=_LEAST)
        is_blank = is_tried.sum(axis=1) == 1
        is_same = is_blank[1:] & is_blank[:-1]  # a second frame of blank alone changes nothing
        least = math.exp(self.token_threshold)
        beam = _Beam(self.beam_size, least, num_frames=len(scores), tree=self._tree)
        for frame in np.flatnonzero(np.append(True, ~is_same)[: len(scores)]):
            symbols = np.flatnonzero(is_tried[frame])[1:]
            beam.advance(relative[frame, BLANK], symbols, relative[frame, symbols])
        return beam.best()


class _Beam:
    """The best prefixes of the frames so far.

    A prefix is a number, which stands for a shorter prefix and one symbol behind it. Probabilities
    of all paths to it, those that end in a blank and those that do not, are relative to the best
    prefix of the frame before: so nothing underflows but what has no chance.
    """

    def __init__(self, size: int, least: float, *, num_frames: int, tree: WordTree | None) -> None:
        self.size = size
        self.tree = tree
        self.least = least  # of the best's probability
        self.numbers = np.zeros(1, np.int64)  # (N,) of the prefixes; 0 is the empty one
        self.in_blank, self.in_symbol = np.ones(1), np.zeros(1)  # (N,)
        most = 1 + num_frames * size
        self._symbol = np.full(most, BLANK)  # the last, of every prefix
        self._shorter = np.zeros(most, np.int64)
        self._place = np.full(most, -1)  # in the beam; -1: not there
        self._place[0] = 0
        self._node = np.zeros(most, np.int64)  # of the words' tree
        self._known: dict[tuple[int, int], int] = {}  # prefixes by the shorter one and the symbol

    def advance(self, blank: float, symbols: _Places, chances: _Floats) -> None:
        """Hear one more frame: its blank, and the S symbols that are tried."""
        total = self.in_blank + self.in_symbol  # (N,)
        if not len(symbols):
            self.in_blank, self.in_symbol = total / total.max(), np.zeros(len(total))
            return
        held = np.zeros(len(total))  # (N,): the prefix stays
        said = total[:, None] * chances  # (N, S): the prefix and one symbol more
        is_last = self._symbol[self.numbers][:, None] == symbols  # (N, S)
        if is_last.any():
            rows, columns = np.nonzero(is_last)
            self._repeat(rows, columns, chances, held, said)
        if self.tree is not None:
            said[self.tree.children[self._node[self.numbers]][:, symbols] < 0] = 0.0
        self._keep(total * blank, held, said, symbols)

    def _repeat(
        self, rows: _Places, columns: _Places, chances: _Floats, held: _Floats, said: _Floats
    ) -> None:
        """Tell a symbol that is held from the same said anew; write into held and said."""
        chances = chances[columns]
        held[rows] = self.in_symbol[rows] * chances
        said[rows, columns] = self.in_blank[rows] * chances  # a blank lies between
        shorter = self._place[self._shorter[self.numbers[rows]]]
        if (is_here := shorter >= 0).any():  # one prefix said it, the other held it: the same text
            rows, columns, shorter = rows[is_here], columns[is_here], shorter[is_here]
            held[rows] += said[shorter, columns]
            said[shorter, columns] = 0.0

    def best(self) -> list[int]:
        """Return the symbols of the best prefix, without a word that is cut off."""
        numbers, scores = self.numbers, self.in_blank + self.in_symbol
        if (is_whole := self._is_whole(numbers)).any():
            numbers, scores = numbers[is_whole], scores[is_whole]
        prefix, symbols = int(numbers[scores.argmax()]), []
        while not self._is_whole(prefix):
            prefix = int(self._shorter[prefix])
        while prefix:
            symbols.append(int(self._symbol[prefix]))
            prefix = int(self._shorter[prefix])
        return symbols[::-1]

    def _is_whole(self, numbers: _Places | int) -> NDArray[np.bool_]:
        """Tell which prefixes end with a whole word."""
        if self.tree is None:
            return np.ones(np.shape(numbers), np.bool_)
        return self.tree.is_end[self._node[numbers]]

    def _keep(self, in_blank: _Floats, held: _Floats, said: _Floats, symbols: _Places) -> None:
        """Keep the best of the old prefixes (N,) and of those with a symbol more (N, S)."""
        scores = np.concatenate([in_blank + held, said.ravel()])
        best, num_old = scores.max(), len(held)
        kept = (scores > self.least * best).nonzero()[0]
        if len(kept) > self.size:
            kept = kept[np.argpartition(scores[kept], -self.size)[-self.size :]]
            kept.sort()  # the old ones first
        split = int(kept.searchsorted(num_old))
        old, scores = kept[:split], scores[kept] / best
        numbers = self.numbers[old].tolist()
        for place in kept[split:].tolist():
            row, column = divmod(place - num_old, len(symbols))
            numbers.append(self._extend(int(self.numbers[row]), int(symbols[column])))
        self._place[self.numbers] = -1
        self.numbers = np.array(numbers)
        self._place[self.numbers] = np.arange(len(numbers))
        self.in_blank = np.zeros(len(numbers))
        self.in_blank[:split] = in_blank[old] / best
        self.in_symbol = scores - self.in_blank

    def _extend(self, prefix: int, symbol: int) -> int:
        """Return the number of the prefix with one more symbol."""
        number = self._known.setdefault((prefix, symbol), len(self._known) + 1)
        self._symbol[number], self._shorter[number] = symbol, prefix
        if self.tree is not None:
            self._node[number] = self.tree.children[self._node[prefix], symbol]
        return number
