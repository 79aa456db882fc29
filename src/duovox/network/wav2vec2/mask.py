"""Masked spans of time and of feature channels.

Everything stays on the device of the lengths and has a fixed shape, so a training step needs no
word from the host.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Spans(NamedTuple):
    """How much to mask, and in how long pieces."""

    probability: float  # masked spans per place, times their length; 0 = none at all
    length: int  # neighbouring places that one span covers


class SpanMasking(nn.Module):
    """Hide spans of frames behind a learned vector, and set spans of channels to zero.

    Both act in training only, and a probability of 0 turns them off for good. Without time masks
    the vector is kept, for checkpoints to be exchanged, but it is nothing to train: a parameter
    without gradient would stop distributed training. Pre-training brings its own time masks, which
    act in validation as well, and learns the vector (`learn`).

    Args:
        time: spans of frames.
        feature: spans of the D channels; a masked channel is so in the whole utterance.
        min_time_spans: an utterance that can hold them gets at least so many.
    """

    vector: Tensor  # (D,) what masked frames become

    def __init__(self, width: int, *, time: Spans, feature: Spans, min_time_spans: int = 2) -> None:
        super().__init__()
        for name, spans in (("mask_time", time), ("mask_feature", feature)):
            if not 0 <= spans.probability <= 1:
                raise ValueError(f"{name}_prob must lie in [0, 1], got {spans.probability}")
            if spans.length < 1:
                raise ValueError(f"{name}_length must be at least 1, got {spans.length}")
        self.time, self.feature, self.min_time_spans = time, feature, min_time_spans
        vector = torch.rand(width)
        if time.probability > 0:
            self.vector = nn.Parameter(vector)
        else:
            self.register_buffer("vector", vector)

    def learn(self) -> None:
        """Train the vector, whether masks are drawn here or not."""
        self.vector = nn.Parameter(self.vector.detach())

    def forward(self, frames: Tensor, num_frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return frames (B, T, D), masked in training; spans stay inside num_frames (B,).

        Args:
            mask: (B, T) bool, in place of drawn spans of frames, and in eval too.
        """
        batch_size, max_frames, width = frames.shape
        if mask is None and self.training and self.time.probability > 0:
            mask = span_mask(num_frames, max_frames, self.time, min_spans=self.min_time_spans)
        if mask is not None:
            frames = torch.where(mask[..., None], self.vector.to(frames.dtype), frames)
        if self.training and self.feature.probability > 0:
            widths = num_frames.new_full((batch_size,), width)
            is_masked = span_mask(widths, width, self.feature, min_spans=0)
            frames = frames.masked_fill(is_masked[:, None], 0.0)
        return frames


def span_mask(
    lengths: Tensor,
    max_length: int,
    spans: Spans,
    *,
    min_spans: int,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Return (B, max_length) bool, True inside masked spans.

    Each row of length n gets about `probability * n / length` spans (rounded up or down by chance),
    `min_spans` at least, and never more than fit side by side; a row shorter than a span gets none.
    Their starts are distinct and uniform, so spans overlap and cover less than `probability` of
    the row, about 1 - (1 - probability / length) ** length: 49 % for 0.65 and 10.

    Args:
        lengths: (B,) true lengths of the rows.

    Source: Baevski et al. 2020, section 3.1; Park et al. 2019 (SpecAugment).
    """
    device = lengths.device
    # torch.rand with a generator takes no shape that torch.compile keeps open.
    uniform = torch.empty(len(lengths), max_length + 1, device=device)
    uniform.uniform_(generator=generator)
    num_starts = (lengths - spans.length + 1).clamp(min=0)  # (B,) places where a span may begin
    wanted = (
        (spans.probability * lengths / spans.length + uniform[:, -1]).long().clamp(min=min_spans)
    )
    num_spans = torch.minimum(torch.minimum(wanted, lengths // spans.length), num_starts)
    places = torch.arange(max_length, device=device)
    lots = uniform[:, :-1].masked_fill(places >= num_starts[:, None], -1.0)
    ranks = lots.argsort(dim=1, descending=True).argsort(dim=1)  # 0 = the highest lot
    starts_so_far = (ranks < num_spans[:, None]).cumsum(dim=1)  # (B, max_length)
    starts_before_span = F.pad(starts_so_far, (spans.length, 0))[:, :max_length]
    return starts_so_far > starts_before_span
