"""Masked spans of time and of feature channels.

Everything stays on the device of the lengths and has a fixed shape, so a training step needs no
word from the host.
"""

from __future__ import annotations

import torch
from torch import Tensor


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
    starts_before_span = torch.nn.functional.pad(starts_so_far, (span, 0))[:, :max_length]
    return starts_so_far > starts_before_span
