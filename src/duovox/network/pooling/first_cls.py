"""A class frame in front of the utterance."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FirstClassPooling(nn.Module):
    """Put a vector of ones in front of the frames and take what the transformer makes of it.

    Args:
        dim: width of the frames that are pooled.
        class_width: width of the frames that the transformer works on; None = dim. They differ
            when the embedding gets a part of the dimensions only.
        is_learnable: train the vector, which starts from ones.
    """

    class_frame: Tensor  # (class_width,)
    needs_token_logits = False

    def __init__(
        self, dim: int, *, class_width: int | None = None, is_learnable: bool = False
    ) -> None:
        super().__init__()
        self.out_dim = dim
        ones = torch.ones(class_width or dim)
        if is_learnable:
            self.class_frame = nn.Parameter(ones)
        else:
            self.register_buffer("class_frame", ones)

    def forward(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, D) from frames (B, 1 + T, D), the class frame being the first."""
        return frames[:, 0]
