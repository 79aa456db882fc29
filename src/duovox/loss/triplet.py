"""Triplets: an utterance nearer to its own speaker's others than to anyone else's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class TripletLoss(nn.Module):
    """Compare each utterance with the farthest of its own speaker and the nearest of another.

    Own distance less other distance, plus a margin, and never below 0; averaged over the utterances
    that have both in the batch, and 0 if none has. Distances are Euclidean between embeddings of
    unit length, hence in [0, 2] and in the order of the cosines by which trials are scored.

    Args:
        margin: how much nearer the own speaker has to be.

    Source: Hermans et al. 2017, "In Defense of the Triplet Loss", equation 5 (batch hard); Schroff
    et al. 2015, FaceNet, section 3.1 (unit length).
    """

    def __init__(self, *, margin: float = 1.0) -> None:
        super().__init__()
        if margin <= 0:
            raise ValueError(f"margin must be above 0, got {margin} (optim.loss.triplet_margin)")
        self.margin = margin

    def forward(self, embeddings: Tensor, speaker_ids: Tensor) -> Tensor:
        """Return a scalar from embeddings (B, E) of any length and class ids (B,)."""
        unit = F.normalize(embeddings.float(), dim=1)
        with torch.autocast(unit.device.type, enabled=False):
            positive, negative, has_both = _hardest(unit.detach(), speaker_ids)
            losses = F.triplet_margin_loss(
                unit, unit[positive], unit[negative], margin=self.margin, reduction="none"
            )  # (B,)
        return (losses * has_both).sum() / has_both.sum().clamp_min(1)


def _hardest(unit: Tensor, speaker_ids: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return (B,) the farthest of the same speaker, the nearest of another, and who has both."""
    cosines = unit @ unit.T  # (B, B)
    is_same = speaker_ids[:, None] == speaker_ids
    is_other_utterance = ~torch.eye(len(unit), dtype=torch.bool, device=unit.device)
    is_positive = is_same & is_other_utterance
    positive = cosines.masked_fill(~is_positive, torch.inf).argmin(dim=1)
    negative = cosines.masked_fill(is_same, -torch.inf).argmax(dim=1)
    return positive, negative, is_positive.any(dim=1) & ~is_same.all(dim=1)
