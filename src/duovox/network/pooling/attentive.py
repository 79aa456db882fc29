"""Weighted mean and standard deviation over time, with learned weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from duovox.network.padding import true_frames

MIN_VARIANCE = 1e-5  # one frame has none, and the root's gradient at 0 is infinite


class AttentivePooling(nn.Module):
    """Join a mean and a standard deviation that look more at some frames, for each dimension.

    The weights come from the frame and from the plain mean and standard deviation of its
    utterance, through a bottleneck.

    Args:
        bottleneck: width inside the network that makes the weights.

    Source: Okabe et al. 2018 (attentive statistics); Desplanques et al. 2020, ECAPA-TDNN,
    section 3.1 (weights per channel, from the context of the whole utterance).
    """

    class_frame: Tensor | None = None
    needs_token_logits = False

    def __init__(self, dim: int, *, bottleneck: int = 128) -> None:
        super().__init__()
        self.out_dim = 2 * dim
        self.inner = nn.Linear(3 * dim, bottleneck)
        self.norm = nn.LayerNorm(bottleneck)
        self.scores = nn.Linear(bottleneck, dim)

    def forward(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, 2 D) from frames (B, T, D) and their true number num_frames (B,)."""
        is_real = true_frames(num_frames, frames.shape[1])[..., None]  # (B, T, 1)
        frames = frames.float().masked_fill(~is_real, 0.0)
        context = _mean_and_std(frames, is_real / num_frames[:, None, None])
        context = context[:, None].expand(-1, frames.shape[1], -1)  # (B, T, 2 D)
        hidden = torch.tanh(self.norm(torch.relu(self.inner(torch.cat([frames, context], -1)))))
        scores = self.scores(hidden).float().masked_fill(~is_real, float("-inf"))  # (B, T, D)
        return _mean_and_std(frames, scores.softmax(dim=1))


def _mean_and_std(frames: Tensor, weights: Tensor) -> Tensor:
    """Return (B, 2 D); the weights (B, T, D or 1) of an utterance sum to 1."""
    mean = (frames * weights).sum(dim=1)
    variance = ((frames - mean[:, None]).square() * weights).sum(dim=1)
    return torch.cat([mean, variance.clamp(min=MIN_VARIANCE).sqrt()], dim=1)
