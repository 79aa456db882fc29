"""Greedy CTC decoding: the best symbol of every frame, repeats merged, blanks dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from duovox.decoding.text import BLANK, check_vocabulary, spellings


@dataclass(frozen=True)
class GreedyDecoder:
    """Follow the best path alone: fast, and right where one path has nearly all probability."""

    vocabulary: Sequence[str]  # V symbols, the first is the CTC blank

    def __call__(self, logits: Tensor, num_frames: Tensor) -> list[str]:
        """Return the text of each utterance; logits (B, T, V), num_frames (B,)."""
        return decode(logits, num_frames, self.vocabulary)


def decode(logits: Tensor, num_frames: Tensor, vocabulary: Sequence[str]) -> list[str]:
    """Return the text of each utterance.

    Special symbols ("<s>", "<unk>", ...) separate repeats like any symbol, but leave no text.

    Args:
        logits: (B, T, V) on any device; one copy of B x T ids comes to the host.
        num_frames: (B,) true frames; what lies behind them is not read.
        vocabulary: V symbols; index 0 is the CTC blank, "|" the border between words.
    """
    check_vocabulary(logits.shape[-1], vocabulary)
    best = logits.max(dim=-1).indices  # (B, T); on a processor faster than argmax
    ids = best.cpu()  # the one wait for a device
    is_kept = ids != BLANK
    is_kept[:, 1:] &= ids[:, 1:] != ids[:, :-1]
    is_kept &= torch.arange(ids.shape[1]) < num_frames[:, None].cpu()
    spelling = spellings(vocabulary)
    text = [spelling[symbol] for symbol in ids[is_kept].tolist()]  # of all utterances
    ends = [0, *is_kept.sum(dim=1).cumsum(dim=0).tolist()]
    return ["".join(text[start:end]).strip() for start, end in pairwise(ends)]
