"""Equal losses: scale every loss up to the largest one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

LARGEST_WEIGHT = 1e4  # a task that has been solved must not be blown up without end


class MaxWeighting(nn.Module):
    """Weigh each loss by max(L) / L_i, anew in every step.

    Both terms then have the value of the larger loss. A loss of 0 (no utterance of the batch had a
    CTC path) has no gradient and keeps the weight 1; no weight exceeds 10,000.
    """

    def forward(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return weights of at least 1; the largest loss has exactly 1."""
        values = torch.stack([loss.detach().float() for loss in losses.values()])
        ratios = (values.max() / values).clamp_max(LARGEST_WEIGHT)
        weights = torch.where(values > 0, ratios, 1.0)
        return dict(zip(losses, weights.unbind(), strict=True))
