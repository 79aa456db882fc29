"""Random weights: what any scheme has to beat."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn

from duovox.loss.processes import average_over_processes, num_processes


class RandomWeighting(nn.Module):
    """Weigh the losses by a softmax of standard normal numbers, drawn anew for every batch.

    They come from torch's global generator, which a training step seeds by its number. Processes
    that train together draw differently, so they take the mean of their draws times the root of
    their number: the same for all, and again standard normal.

    Args:
        tasks: every task that may occur.

    Source: Lin et al. 2022, "Reasonable Effectiveness of Random Weighting: A Litmus Test for
    Multi-Task Learning", section 3.1 (normal distribution).
    """

    def __init__(self, *, tasks: tuple[str, ...] = ("speech", "speaker")) -> None:
        super().__init__()
        self.tasks = tasks

    def forward(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return weights that sum to 1."""
        device = next(iter(losses.values())).device
        draws = average_over_processes(torch.randn(len(self.tasks), device=device))
        rows = [self.tasks.index(task) for task in losses]
        weights = torch.softmax(draws[rows] * sqrt(num_processes()), dim=0)
        return dict(zip(losses, weights.unbind(), strict=True))
