"""Gradient normalisation: weights under which tasks pull equally hard, the slower one harder."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from duovox.loss.processes import average_over_processes

SMALLEST_WEIGHT = 1e-3  # a task of weight 0 has no gradient that could be made longer
_LIFT = 2.0**10  # keeps gradients above the smallest number of half precision; undone exactly


class GradNormWeighting(nn.Module):
    """Learn weights that bring the gradients' lengths at a shared layer to a common scale.

    G_i is the length of the gradient of w_i L_i, r_i = L_i / L_i(first batch) over its mean: how
    slowly a task trains. After each batch the weights take one step of Adam on the sum of
    |G_i - mean(G) r_i^alpha|, whose targets count as constant, and are scaled to sum to the number
    of tasks. Processes that train together average lengths and losses. While the layer is frozen,
    and where a length is not finite, the weights stay as they are.

    Args:
        shared: the parameters of the last layer that all tasks share.
        alpha: how strongly slower tasks are pulled up; 0 asks for equal lengths.
        lr: of the weights.
        tasks: every task that may occur.

    Source: Chen et al. 2018, "GradNorm: Gradient Normalization for Adaptive Loss Balancing in Deep
    Multitask Networks", algorithm 1.
    """

    weights: Tensor  # (tasks,)
    first_losses: Tensor  # (tasks,), 0 = none heard yet
    mean: Tensor  # (tasks,) of the slopes, by Adam
    square: Tensor  # (tasks,) mean of the squared slopes
    num_updates: Tensor  # () int64

    def __init__(
        self,
        *,
        shared: Sequence[nn.Parameter],
        alpha: float = 1.5,
        lr: float = 0.025,
        tasks: tuple[str, ...] = ("speech", "speaker"),
    ) -> None:
        super().__init__()
        self.shared = tuple(shared)  # a tuple, so that they are not counted as ours
        self.alpha = alpha
        self.lr = lr
        self.tasks = tasks
        self.register_buffer("weights", torch.ones(len(tasks)))
        self.register_buffer("first_losses", torch.zeros(len(tasks)))
        self.register_buffer("mean", torch.zeros(len(tasks)))
        self.register_buffer("square", torch.zeros(len(tasks)))
        self.register_buffer("num_updates", torch.zeros((), dtype=torch.int64))

    def forward(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the present weights; in training mode, move them towards those of the next batch.

        A task alone has weight 1, and leaves the weights as they are.
        """
        if len(losses) < len(self.tasks):
            return {task: torch.ones((), device=loss.device) for task, loss in losses.items()}
        weights = dict(zip(self.tasks, self.weights.clone().unbind(), strict=True))
        shared = [parameter for parameter in self.shared if parameter.requires_grad]
        if self.training and shared:
            self._update([losses[task] for task in self.tasks], shared)
        return {task: weights[task] for task in losses}

    def _update(self, losses: Sequence[Tensor], shared: Sequence[nn.Parameter]) -> None:
        lengths = torch.stack([_gradient_length(loss, shared) for loss in losses])
        values = torch.stack([loss.detach().float() for loss in losses])
        lengths, values = average_over_processes(torch.stack([lengths, values]))
        if not bool(torch.isfinite(lengths).all()):
            return
        self.first_losses.copy_(torch.where(self.first_losses > 0, self.first_losses, values))
        self._adam(self._slopes(lengths, values))

    def _slopes(self, lengths: Tensor, values: Tensor) -> Tensor:
        """Return (tasks,) d sum |w_i lengths_i - target_i| / d w_i."""
        rates = torch.where(self.first_losses > 0, values / self.first_losses, 1.0)
        weighted = self.weights * lengths
        relative = rates / rates.mean().clamp_min(1e-12)  # 0 where every loss is
        targets = weighted.mean() * relative.pow(self.alpha)
        return (weighted - targets).sign() * lengths

    def _adam(self, slopes: Tensor) -> None:
        """Take a step of Adam (Kingma & Ba 2015, its betas and epsilon); then restore the sum."""
        self.num_updates += 1
        self.mean.lerp_(slopes, 1 - 0.9)
        self.square.lerp_(slopes.square(), 1 - 0.999)
        mean = self.mean / (1 - 0.9**self.num_updates)
        deviation = (self.square / (1 - 0.999**self.num_updates)).sqrt() + 1e-8
        moved = (self.weights - self.lr * mean / deviation).clamp_min(SMALLEST_WEIGHT)
        self.weights.copy_(moved * len(moved) / moved.sum())


def _gradient_length(loss: Tensor, parameters: Sequence[nn.Parameter]) -> Tensor:
    with torch.autocast(loss.device.type, enabled=False):  # it is for forward passes
        found = torch.autograd.grad(
            loss,
            parameters,
            torch.full_like(loss, _LIFT),
            retain_graph=True,
            allow_unused=True,
        )
    length = nn.utils.get_total_norm([gradient for gradient in found if gradient is not None])
    return length / _LIFT
