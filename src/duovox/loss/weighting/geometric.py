"""Geometric mean: minimise the root of the product of the losses."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GeometricWeighting(nn.Module):
    """Weigh each of n losses by (L_1 ... L_n)^(1/n) / (n L_i), anew in every step.

    The weighted sum is then the geometric mean of the losses, and its gradient that of the mean.
    A loss of 0 (no utterance of the batch had a CTC path) has no gradient; it is left out of the
    mean, for it would silence the other task, and keeps the weight 1.

    Source: Chennupati et al. 2019, "MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss
    Strategy for Multi-Task Learning", section 3.
    """

    def forward(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return weights whose terms are equal; a task alone has 1."""
        values = torch.stack([loss.detach().float() for loss in losses.values()])
        is_positive = values > 0
        logarithms = values.log().where(is_positive, 0.0)
        num_positive = is_positive.sum().clamp_min(1)
        shares = (logarithms.sum() / num_positive - logarithms).exp() / num_positive
        weights = torch.where(is_positive, shares, 1.0)
        return dict(zip(losses, weights.unbind(), strict=True))
