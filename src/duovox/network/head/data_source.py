"""Logits of whose data an utterance comes from, against which the layers below learn."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from duovox.network.pooling.mean import MeanPooling

NUM_SOURCES = 2  # the data of the speech task, and those of the speaker task


class DataSourceHead(nn.Module):
    """Map the mean frame of each utterance to the logits of the two sources.

    The head itself learns to tell them apart. The gradient that it hands to the frames is reversed:
    whatever is below it learns to hide the source.

    Args:
        in_dim: width of the frames.
        reversal_scale: what the gradient is multiplied with where it turns round.

    Source: Ganin & Lempitsky 2015, "Unsupervised domain adaptation by backpropagation", section 3.
    """

    def __init__(self, in_dim: int, *, reversal_scale: float) -> None:
        super().__init__()
        self.in_dim = in_dim
        self.reversal_scale = reversal_scale
        self.pooling = MeanPooling(in_dim)
        self.linear = nn.Linear(in_dim, NUM_SOURCES)

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """Return float32 logits (B, 2) of frames (B, T, D) and their number num_frames (B,)."""
        mean = self.pooling(frames, num_frames)
        logits: Tensor = self.linear(reverse_gradient(mean, self.reversal_scale))
        return logits.float()


def reverse_gradient(values: Tensor, scale: float) -> Tensor:
    """Return the values as they are; their gradient comes back times -scale."""
    reversed_: Tensor = _Reversal.apply(values, scale)  # type: ignore[no-untyped-call]
    return reversed_


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, values: Tensor, scale: float) -> Tensor:
        context.scale = scale
        return values.view_as(values)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -context.scale * gradient, None
