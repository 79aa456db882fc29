"""Fixed shares, chosen by the user."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class StaticWeighting(nn.Module):
    """Give speech the weight a and speaker the weight 1 - a.

    Args:
        speech_weight: a, in [0, 1]; with 0.5 the total is half of the plain sum.
    """

    def __init__(self, *, speech_weight: float) -> None:
        super().__init__()
        if not 0 <= speech_weight <= 1:
            raise ValueError(
                f"speech_weight must lie in [0, 1], got {speech_weight}: the speaker loss gets the "
                "rest of 1 (optim.loss.static_speech_weight)"
            )
        self.shares = {"speech": speech_weight, "speaker": 1 - speech_weight}

    def forward(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return each task's share; a task alone gets 1."""
        is_alone = len(losses) == 1
        return {
            task: torch.full(
                (), 1.0 if is_alone else self.shares[task], dtype=torch.float32, device=loss.device
            )
            for task, loss in losses.items()
        }
