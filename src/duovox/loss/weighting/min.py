"""Equal losses: scale every loss down to the smallest one."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class MinWeighting(nn.Module):
    """Weigh each loss by min(L) / L_i, anew in every step.

    Both terms then have the value of the smaller loss, and the gradient is min(L) times the sum of
    the gradients of log L_i: each task counts by its relative progress. A loss of 0 (no utterance
    of the batch had a CTC path) has no gradient; it is left out of the minimum, for it would
    silence the other task, and keeps the weight 1.
    """

    def forward(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return weights of at most 1; the smallest loss has exactly 1."""
        values = torch.stack([loss.detach().float() for loss in losses.values()])
        is_positive = values > 0
        smallest = values.masked_fill(~is_positive, torch.inf).min()
        weights = torch.where(is_positive, smallest / values, 1.0)
        return dict(zip(losses, weights.unbind(), strict=True))
