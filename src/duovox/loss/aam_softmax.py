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

    Optionally the k closest wrong speakers are made to look closer still, by a margin of their own
    in the other direction, so that more is done against confusions.

    Args:
        margin_rad: m, in [0, pi).
        scale: s, the cosines' factor before the softmax.
        inter_top_k: k, how many wrong speakers are penalised; 0 = none.
        inter_top_k_penalty_rad: m', in [0, pi): cos(theta) of those becomes cos(theta - m').
        warmup_steps: the margin m grows linearly from 0 over so many steps.

    Source: Deng et al. 2019, "ArcFace", equation 3; Xiang et al. 2019 for speakers; Zhao et al.
    2021, "The SpeakIn system for VoxCeleb Speaker Recognition Challenge 2021", section 2.3, for the
    closest wrong speakers.
    """

    def __init__(
        self,
        *,
        margin_rad: float = 0.2,
        scale: float = 30.0,
        inter_top_k: int = 0,
        inter_top_k_penalty_rad: float = 0.06,
        warmup_steps: int = 0,
    ) -> None:
        super().__init__()
        _check_angle(margin_rad, "margin_rad", "aam_margin")
        _check_angle(inter_top_k_penalty_rad, "inter_top_k_penalty_rad", "aam_inter_top_k_penalty")
        if scale <= 0:
            raise ValueError(f"scale must be above 0, got {scale} (optim.loss.aam_scale)")
        self.margin_rad = margin_rad
        self.scale = scale
        self.inter_top_k = inter_top_k
        self.inter_top_k_penalty_rad = inter_top_k_penalty_rad
        self.warmup_steps = warmup_steps
        self.step = warmup_steps  # until told otherwise, the margin is whole

    def at_step(self, step: int) -> None:
        """Set the margin for what follows `step` finished steps."""
        self.step = step

    @property
    def margin_now_rad(self) -> float:
        """The margin in this step."""
        return self.margin_rad * min(1.0, (self.step + 1) / (self.warmup_steps + 1))

    def forward(self, cosines: Tensor, speaker_ids: Tensor) -> Tensor:
        """Return a scalar from cosines (B, K) in [-1, 1] and class ids (B,) in [0, K)."""
        if self.inter_top_k >= cosines.shape[1]:
            raise ValueError(
                f"inter_top_k must be below the number of classes, {cosines.shape[1]}, got "
                f"{self.inter_top_k} (optim.loss.aam_inter_top_k)"
            )
        loss: Tensor = _MarginCrossEntropy.apply(  # type: ignore[no-untyped-call]
            cosines,
            speaker_ids,
            self.margin_now_rad,
            self.scale,
            self.inter_top_k,
            self.inter_top_k_penalty_rad,
        )
        return loss


class _MarginCrossEntropy(torch.autograd.Function):
    """The loss with its gradient written out: softmax minus one, times scale and own slope.

    Autograd would go over the (B, K) matrix six times on the way back, for the sake of one column.
    """

    @staticmethod
    def forward(
        ctx: Any,
        cosines: Tensor,
        speaker_ids: Tensor,
        margin_rad: float,
        scale: float,
        inter_top_k: int,
        penalty_rad: float,
    ) -> Tensor:
        own = cosines.gather(1, speaker_ids[:, None]).float()  # (B, 1)
        columns, slopes = speaker_ids[:, None], torch.ones_like(own)
        logits = cosines.float() * scale
        if inter_top_k:
            columns, penalised, slopes = _penalise(cosines, speaker_ids, inter_top_k, penalty_rad)
            logits.scatter_(1, columns, penalised * scale)
        widened, slope = _widen(own, margin_rad)
        logits.scatter_(1, speaker_ids[:, None], widened * scale)
        log_probabilities = F.log_softmax(logits, dim=1)
        ctx.save_for_backward(log_probabilities, speaker_ids, slope, columns, slopes)
        ctx.scale, ctx.dtype, ctx.inter_top_k = scale, cosines.dtype, inter_top_k
        return F.nll_loss(log_probabilities, speaker_ids)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        log_probabilities, speaker_ids, slope, columns, slopes = ctx.saved_tensors
        residual = log_probabilities.exp()  # (B, K)
        own = residual.gather(1, speaker_ids[:, None])
        if ctx.inter_top_k:
            residual.scatter_(1, columns, residual.gather(1, columns) * slopes)
        residual.scatter_(1, speaker_ids[:, None], (own - 1) * slope)
        residual *= gradient * (ctx.scale / len(residual))
        return residual.to(ctx.dtype), None, None, None, None, None


def _penalise(
    cosines: Tensor, speaker_ids: Tensor, inter_top_k: int, penalty_rad: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Return columns (B, k + 1), their cosines made larger, and the derivatives.

    Among a row's k + 1 largest are its k closest wrong speakers and either the own one or another
    that is left as it is. cos(theta - m) is widening seen from behind: -cos(pi - theta + m).
    """
    largest, columns = cosines.float().topk(inter_top_k + 1, dim=1)
    is_own = columns == speaker_ids[:, None]
    is_left = is_own.clone()
    is_left[:, -1] |= ~is_own.any(dim=1)
    widened, slopes = _widen(-largest, penalty_rad)
    return columns, torch.where(is_left, largest, -widened), torch.where(is_left, 1.0, slopes)


def _check_angle(angle_rad: float, name: str, setting: str) -> None:
    if not 0 <= angle_rad < math.pi:
        raise ValueError(f"{name} must lie in [0, pi), got {angle_rad} (optim.loss.{setting})")


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
