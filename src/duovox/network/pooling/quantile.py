"""Quantiles over time."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from duovox.network.padding import true_frames

QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)


class QuantilePooling(nn.Module):
    """Join the minimum, the quartiles and the maximum of each dimension over an utterance."""

    class_frame: Tensor | None = None
    needs_token_logits = False

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.out_dim = len(QUANTILES) * dim

    def forward(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, 5 D) from frames (B, T, D) and their true number num_frames (B,)."""
        is_real = true_frames(num_frames, frames.shape[1])[..., None]
        ordered = frames.masked_fill(~is_real, float("inf")).sort(dim=1).values  # padding last
        quantiles = torch.tensor(QUANTILES, device=frames.device)
        position = quantiles * (num_frames[:, None] - 1)  # (B, 5) between two frames
        below = _at(ordered, position.floor())
        above = _at(ordered, position.ceil())
        return torch.lerp(below, above, position.frac()[..., None].to(frames.dtype)).flatten(1)


def _at(frames: Tensor, position: Tensor) -> Tensor:
    """Return (B, 5, D): the frames (B, T, D) at whole positions (B, 5)."""
    rows = torch.arange(len(frames), device=frames.device)[:, None]
    return frames[rows, position.long()]
