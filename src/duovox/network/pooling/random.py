"""A random frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RandomPooling(nn.Module):
    """Take one frame of each utterance, each with the same chance, in training and in eval.

    Args:
        generator: source of the choice, on the device of the frames; None = torch's own.
    """

    class_frame: Tensor | None = None
    needs_token_logits = False

    def __init__(self, dim: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.out_dim = dim
        self.generator = generator

    def forward(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, D) from frames (B, T, D) and their true number num_frames (B,)."""
        rows = torch.arange(len(frames), device=frames.device)
        uniform = torch.rand(len(frames), device=frames.device, generator=self.generator)
        choice = (uniform.double() * num_frames).long()  # in float32, n * 0.99999994 may be n
        return frames[rows, choice]
