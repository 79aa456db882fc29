"""The mean and the standard deviation over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from duovox.network.padding import true_frames

MIN_VARIANCE = 1e-5  # one frame has none, and the root's gradient at 0 is infinite


class MeanStdPooling(nn.Module):
    """Join the mean and the standard deviation (unbiased) of each dimension over an utterance.

    Source: Snyder et al. 2018, "X-vectors", the statistics pooling layer.
    """

    class_frame: Tensor | None = None
    needs_token_logits = False

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.out_dim = 2 * dim

    def forward(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, 2 D) from frames (B, T, D) and their true number num_frames (B,)."""
        is_padding = ~true_frames(num_frames, frames.shape[1])[..., None]  # (B, T, 1)
        count = num_frames[:, None]
        mean = frames.masked_fill(is_padding, 0.0).sum(dim=1, dtype=torch.float32) / count  # (B, D)
        squares = (frames - mean[:, None]).masked_fill(is_padding, 0.0).square().sum(dim=1)
        variance = squares / (count - 1).clamp(min=1)
        return torch.cat([mean, variance.clamp(min=MIN_VARIANCE).sqrt()], dim=1)
