"""The mean over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from duovox.network.padding import true_frames


class MeanPooling(nn.Module):
    """Average the frames of each utterance, leaving padding out."""

    class_frame: Tensor | None = None
    needs_token_logits = False

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.out_dim = dim

    def forward(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, D) from frames (B, T, D) and their true number num_frames (B,)."""
        is_padding = ~true_frames(num_frames, frames.shape[1])
        total = frames.masked_fill(is_padding[..., None], 0.0).sum(dim=1, dtype=torch.float32)
        return total / num_frames[:, None]
