"""The logits of a long recording in stretches that can be decoded one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from duovox.decoding.text import BLANK, WORD_BORDER

MAX_FRAMES = 6_000  # 2 min: speech without a single border between words is cut anyway


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Logits of neighbouring frames; words neither begin before nor end behind them."""

    logits: Tensor  # (T, V)
    first_frame: int  # counted from the beginning of the recording


def stretches(pieces: Iterable[Tensor], vocabulary: Sequence[str]) -> Iterator[Stretch]:
    """Join logits (T, V) that follow each other, and cut them where a word ends.

    Greedy decoding reads the same from the stretches, with a space between, as from all logits at
    once; a language model begins a new sentence with each. A recording of one piece stays whole.
    """
    pieces, first_frame = iter(pieces), 0
    pending = next(pieces)
    for piece in pieces:
        stop = _cut(pending, vocabulary)
        if stop:
            yield Stretch(logits=pending[:stop], first_frame=first_frame)
        pending, first_frame = torch.cat([pending[stop:], piece]), first_frame + stop
    yield Stretch(logits=pending, first_frame=first_frame)


def _cut(logits: Tensor, vocabulary: Sequence[str]) -> int:
    """Return how many frames end with the last border between words; 0: there is none."""
    best = logits.argmax(dim=-1)  # (T,)
    if WORD_BORDER in vocabulary:
        borders = (best == list(vocabulary).index(WORD_BORDER)).nonzero()
        if len(borders):
            return int(borders[-1]) + 1
    if len(logits) < MAX_FRAMES:
        return 0
    silence = torch.log_softmax(logits.float(), dim=-1)[:, BLANK]
    half = len(logits) // 2
    return half + int(silence[half:].argmax()) + 1
