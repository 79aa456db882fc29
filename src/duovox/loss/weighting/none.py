"""No weighting: the total is the plain sum."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class NoWeighting(nn.Module):
    """Give every loss the weight 1."""

    def forward(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return 1 for each task."""
        return {task: torch.ones((), device=loss.device) for task, loss in losses.items()}
