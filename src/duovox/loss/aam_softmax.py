"""Additive angular margin: pull a speaker's embeddings together, push other speakers away."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# Smallest sin^2 that a gradient passes through. Below it, 1 - cos^2 is rounding noise of float32
# and the gradient cos / sin would grow without bound; there only its part cos(m) remains.
SMALLEST_SINE_SQUARED = 1e-7


class AamSoftmaxLoss(nn.Module):
    """Classify speakers by cosine, with the own speaker's angle made wider by a margin.

    cos(theta) of the own speaker becomes cos(theta + m); all cosines are then scaled and go
    through cross-entropy. Beyond theta = pi - m the widened cosine would rise again, so there it
    goes on falling as cos(theta) - m sin(m). Only the (B,) own cosines are widened, never a (B, K)
    matrix of angles, and all of it is float32.

    Args:
        margin_rad: m, in [0, pi).
        scale: s, the cosines' factor before the softmax.

    Source: Deng et al. 2019, "ArcFace", equation 3; Xiang et al. 2019 for speakers.
    """

    def __init__(self, *, margin_rad: float = 0.2, scale: float = 30.0) -> None:
        super().__init__()
        if not 0 <= margin_rad < math.pi:
            raise ValueError(
                f"margin_rad must lie in [0, pi), got {margin_rad} (optim.loss.aam_margin)"
            )
        if scale <= 0:
            raise ValueError(f"scale must be above 0, got {scale} (optim.loss.aam_scale)")
        self.margin_rad = margin_rad
        self.scale = scale

    def forward(self, cosines: Tensor, speaker_ids: Tensor) -> Tensor:
        """Return a scalar from cosines (B, K) in [-1, 1] and class ids (B,) in [0, K)."""
        own = cosines.gather(1, speaker_ids[:, None]).float()  # (B, 1)
        logits = cosines.float() * self.scale
        logits = logits.scatter_(1, speaker_ids[:, None], self._widen(own) * self.scale)
        return F.cross_entropy(logits, speaker_ids)

    def _widen(self, cosine: Tensor) -> Tensor:
        """Return cos(theta + m) from cos(theta), in its monotonic form."""
        sine = (1 - cosine.square()).clamp_min(SMALLEST_SINE_SQUARED).sqrt()
        widened = cosine * math.cos(self.margin_rad) - sine * math.sin(self.margin_rad)
        beyond = cosine - self.margin_rad * math.sin(self.margin_rad)
        return torch.where(cosine > -math.cos(self.margin_rad), widened, beyond)
