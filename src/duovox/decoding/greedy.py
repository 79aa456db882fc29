"""Greedy CTC decoding: the best symbol of every frame, repeats merged, blanks dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    ids = logits.argmax(dim=-1)  # (B, T)
    is_kept = torch.ones_like(ids, dtype=torch.bool)
    is_kept[:, 1:] = ids[:, 1:] != ids[:, :-1]
    is_kept &= ids != BLANK
    is_kept &= torch.arange(ids.shape[1], device=ids.device) < num_frames[:, None].to(ids.device)
    rows = ids.masked_fill(~is_kept, BLANK).tolist()  # the one wait for the device
    spelling = spellings(vocabulary)
    return ["".join([spelling[symbol] for symbol in row if symbol]).strip() for row in rows]
