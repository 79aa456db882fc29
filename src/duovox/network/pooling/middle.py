"""The middle frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MiddlePooling(nn.Module):
    """Take the middle frame of each utterance; of an even number, the later of the two."""

    class_frame: Tensor | None = None
    needs_token_logits = False

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.out_dim = dim

    def forward(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, D) from frames (B, T, D) and their true number num_frames (B,)."""
        rows = torch.arange(len(frames), device=frames.device)
        return frames[rows, num_frames // 2]
