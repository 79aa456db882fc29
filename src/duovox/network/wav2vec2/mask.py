"""Masked spans of time and of feature channels.

Everything stays on the device of the lengths and has a fixed shape, so a training step needs no
word from the host.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MIN_TIME_SPANS = 2  # an utterance that can hold them gets at least so many masked spans


class SpanMasking(nn.Module):
    """Hide spans of frames behind a learned vector, and set spans of channels to zero.

    Both act in training only, and a probability of 0 turns them off for good. Without time masks
    the vector is kept, for checkpoints to be exchanged, but it is nothing to train: a parameter
    without gradient would stop distributed training.

    Args:
        time_prob: spans of `time_length` frames per frame of an utterance, times their length.
        feature_prob: the same over the D channels; a masked channel is so in the whole utterance.
    """

    vector: Tensor  # (D,) what masked frames become

    def __init__(
        self,
        width: int,
        *,
        time_prob: float,
        time_length: int,
        feature_prob: float,
        feature_length: int,
    ) -> None:
        super().__init__()
        for name, prob in (("mask_time_prob", time_prob), ("mask_feature_prob", feature_prob)):
            if not 0 <= prob <= 1:
                raise ValueError(f"{name} must lie in [0, 1], got {prob}")
        self.time_prob, self.time_length = time_prob, time_length
        self.feature_prob, self.feature_length = feature_prob, feature_length
        vector = torch.rand(width)
        if time_prob > 0:
            self.vector = nn.Parameter(vector)
        else:
            self.register_buffer("vector", vector)

    def forward(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """Return frames (B, T, D), masked in training; spans stay inside num_frames (B,)."""
        if not self.training:
            return frames
        batch_size, max_frames, width = frames.shape
        if self.time_prob > 0:
            is_masked = span_mask(
                num_frames,
                max_frames,
                probability=self.time_prob,
                span=self.time_length,
                min_spans=MIN_TIME_SPANS,
            )
            frames = torch.where(is_masked[..., None], self.vector.to(frames.dtype), frames)
        if self.feature_prob > 0:
            is_masked = span_mask(
                num_frames.new_full((batch_size,), width),
                width,
                probability=self.feature_prob,
                span=self.feature_length,
                min_spans=0,
            )
            frames = frames.masked_fill(is_masked[:, None], 0.0)
        return frames


def span_mask(
    lengths: Tensor,
    max_length: int,
    *,
    probability: float,
    span: int,
    min_spans: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return (B, max_length) bool, True inside masked spans, at most one span per start.

    Each row of length n gets about `probability * n / span` spans (rounded up or down by chance),
    `min_spans` at least, and never more than fit side by side. Their starts are distinct and
    uniform, so spans overlap and cover less than `probability` of the row, about
    1 - (1 - probability / span) ** span: 49 % for 0.65 and 10. A row shorter than a span gets none.

    Args:
        lengths: (B,) true lengths of the rows.
        span: how many neighbouring places one span covers.

    Source: Baevski et al. 2020, section 3.1; Park et al. 2019 (SpecAugment).
    """
    device = lengths.device
    uniform = torch.rand(len(lengths), max_length + 1, device=device, generator=generator)
    num_starts = (lengths - span + 1).clamp(min=0)  # (B,) places where a span may begin
    wanted = (probability * lengths / span + uniform[:, -1]).long().clamp(min=min_spans)
    num_spans = torch.minimum(torch.minimum(wanted, lengths // span), num_starts)
    places = torch.arange(max_length, device=device)
    lots = uniform[:, :-1].masked_fill(places >= num_starts[:, None], -1.0)
    ranks = lots.argsort(dim=1, descending=True).argsort(dim=1)  # 0 = the highest lot
    starts_so_far = (ranks < num_spans[:, None]).cumsum(dim=1)  # (B, max_length)
    starts_before_span = F.pad(starts_so_far, (span, 0))[:, :max_length]
    return starts_so_far > starts_before_span
