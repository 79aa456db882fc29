"""Uncertainty: each task's noise is learnt, and divides its loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class UncertaintyWeighting(nn.Module):
    """Weigh each loss by exp(-s_i), where s_i is the learnt logarithm of the task's variance.

    Both losses are negative log-likelihoods of classes, so the total is the sum over tasks of
    exp(-s_i) L_i + s_i / 2. The optimiser of the network trains s, from 0 (the plain sum) towards
    weights of 1 / (2 L_i). A task alone has weight 1, and its s_i goes on learning.

    Args:
        tasks: every task that may occur.

    Source: Kendall, Gal & Cipolla 2018, "Multi-Task Learning Using Uncertainty to Weigh Losses for
    Scene Geometry and Semantics", equation 10.
    """

    def __init__(self, *, tasks: tuple[str, ...] = ("speech", "speaker")) -> None:
        super().__init__()
        self.tasks = tasks
        self.log_variances = nn.Parameter(torch.zeros(len(tasks)))

    def forward(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return exp(-s_i), detached; a task alone has 1."""
        weights = torch.exp(-self._of(losses).detach())
        weights = weights if len(losses) > 1 else torch.ones_like(weights)
        return dict(zip(losses, weights.unbind(), strict=True))

    def own_loss(self, losses: dict[str, Tensor]) -> Tensor:
        """Return the sum of s_i / 2, whose gradient by s is that of the whole total.

        A loss of 0 (no utterance of the batch had a CTC path) says nothing about its task's noise.
        """
        log_variances = self._of(losses)
        values = torch.stack([loss.detach().float() for loss in losses.values()])
        weights = torch.exp(-log_variances)
        terms = (weights - weights.detach()) * values + log_variances / 2
        return terms.where(values > 0, 0.0).sum()

    def _of(self, losses: dict[str, Tensor]) -> Tensor:
        return self.log_variances[[self.tasks.index(task) for task in losses]]
