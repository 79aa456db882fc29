"""Greedy CTC decoding: the best symbol of every frame, repeats merged, blanks dropped."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BLANK = 0
WORD_BORDER = "|"


def decode(logits: Tensor, num_frames: Tensor, vocabulary: Sequence[str]) -> list[str]:
    """Return the text of each utterance.

    Special symbols ("<s>", "<unk>", ...) separate repeats like any symbol, but leave no text.

    Args:
        logits: (B, T, V) on any device; one copy of B x T ids comes to the host.
        num_frames: (B,) true frames; what lies behind them is not read.
        vocabulary: V symbols; index 0 is the CTC blank, "|" the border between words.
    """
    if logits.shape[-1] != len(vocabulary):
        raise ValueError(
            f"the vocabulary must have one symbol per logit: {logits.shape[-1]} logits, "
            f"{len(vocabulary)} symbols. Is this the vocabulary the model was trained with?"
        )
    ids = logits.argmax(dim=-1)  # (B, T)
    is_kept = torch.ones_like(ids, dtype=torch.bool)
    is_kept[:, 1:] = ids[:, 1:] != ids[:, :-1]
    is_kept &= ids != BLANK
    is_kept &= torch.arange(ids.shape[1], device=ids.device) < num_frames[:, None].to(ids.device)
    rows = ids.masked_fill(~is_kept, BLANK).tolist()  # the one wait for the device
    texts = _texts(vocabulary)
    return ["".join([texts[symbol] for symbol in row if symbol]).strip() for row in rows]


def _texts(vocabulary: Sequence[str]) -> list[str]:
    """Return what each symbol writes: a space for the word border, nothing for a special one."""
    return [
        "" if _is_special(symbol) else symbol.replace(WORD_BORDER, " ") for symbol in vocabulary
    ]


def _is_special(symbol: str) -> bool:
    return len(symbol) > 2 and symbol.startswith("<") and symbol.endswith(">")
