"""Additive angular margin: pull a speaker's embeddings together, push other speakers away."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

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
        loss: Tensor = _MarginCrossEntropy.apply(  # type: ignore[no-untyped-call]
            cosines, speaker_ids, self.margin_rad, self.scale
        )
        return loss


class _MarginCrossEntropy(torch.autograd.Function):
    """The loss with its gradient written out: softmax minus one, times scale and own slope.

    Autograd would go over the (B, K) matrix six times on the way back, for the sake of one column.
    """

    @staticmethod
    def forward(
        ctx: Any, cosines: Tensor, speaker_ids: Tensor, margin_rad: float, scale: float
    ) -> Tensor:
        own = cosines.gather(1, speaker_ids[:, None]).float()  # (B, 1)
        widened, slope = _widen(own, margin_rad)
        logits = (cosines.float() * scale).scatter_(1, speaker_ids[:, None], widened * scale)
        log_probabilities = F.log_softmax(logits, dim=1)
        ctx.save_for_backward(log_probabilities, speaker_ids, slope)
        ctx.scale, ctx.dtype = scale, cosines.dtype
        return F.nll_loss(log_probabilities, speaker_ids)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        log_probabilities, speaker_ids, slope = ctx.saved_tensors
        residual = log_probabilities.exp()  # (B, K)
        own = residual.gather(1, speaker_ids[:, None])
        residual.scatter_(1, speaker_ids[:, None], (own - 1) * slope)
        residual *= gradient * (ctx.scale / len(residual))
        return residual.to(ctx.dtype), None, None, None


def _widen(cosine: Tensor, margin_rad: float) -> tuple[Tensor, Tensor]:
    """Return cos(theta + m) from cos(theta), in its monotonic form, and its derivative."""
    sine_squared = 1 - cosine.square()
    sine = sine_squared.clamp_min(SMALLEST_SINE_SQUARED).sqrt()
    widened = cosine * math.cos(margin_rad) - sine * math.sin(margin_rad)
    cotangent = torch.where(sine_squared > SMALLEST_SINE_SQUARED, cosine / sine, 0.0)
    slope = math.cos(margin_rad) + cotangent * math.sin(margin_rad)
    is_monotonic = cosine > -math.cos(margin_rad)
    beyond = cosine - margin_rad * math.sin(margin_rad)
    return torch.where(is_monotonic, widened, beyond), torch.where(is_monotonic, slope, 1.0)
