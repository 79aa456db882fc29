"""The first frame."""

from __future__ import annotations

from torch import Tensor, nn


class FirstPooling(nn.Module):
    """Take the first frame of each utterance."""

    class_frame: Tensor | None = None
    needs_token_logits = False

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.out_dim = dim

    def forward(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, D) from frames (B, T, D)."""
        return frames[:, 0]
