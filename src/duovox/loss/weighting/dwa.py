"""Dynamic weight average: more weight for the task whose loss falls more slowly."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from duovox.loss.processes import average_over_processes


class DwaWeighting(nn.Module):
    """Weigh the tasks by a softmax over how their losses changed lately.

    r_i = mean of the last `average_loss_window` losses / mean of as many before them, from the
    steps before this one; w = weight_sum * softmax(r / temperature). While fewer losses are stored
    the windows are half of what is there; with fewer than two, r_i = 1. A task that is absent in a
    step adds nothing to its history. The losses of processes that train together are averaged.

    Args:
        temperature: high values make the weights more equal.
        weight_sum: what the weights of a step sum to.
        use_average_loss: compare averages; False compares the last two losses (the paper's form).
        average_loss_window: losses in each of the two averages.
        tasks: every task that may occur.

    Source: Liu et al. 2019, "End-to-End Multi-Task Learning with Attention", equation 7.
    """

    history: Tensor  # (tasks, 2 * window), newest first
    num_stored: Tensor  # (tasks,) int64

    def __init__(
        self,
        *,
        temperature: float = 2.0,
        weight_sum: float = 1.0,
        use_average_loss: bool = True,
        average_loss_window: int = 5,
        tasks: tuple[str, ...] = ("speech", "speaker"),
    ) -> None:
        super().__init__()
        _require_positive("temperature", temperature)
        _require_positive("weight_sum", weight_sum)
        _require_positive("average_loss_window", average_loss_window)
        self.temperature = temperature
        self.weight_sum = weight_sum
        self.window = average_loss_window if use_average_loss else 1
        self.tasks = tasks
        self.register_buffer("history", torch.zeros(len(tasks), 2 * self.window))
        self.register_buffer("num_stored", torch.zeros(len(tasks), dtype=torch.int64))

    def forward(self, losses: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return weights that sum to `weight_sum`; in training mode, remember the losses."""
        rows = [self.tasks.index(task) for task in losses]
        shares = torch.softmax(self._ratios()[rows] / self.temperature, dim=0)
        weights = self.weight_sum * shares if len(losses) > 1 else torch.ones_like(shares)
        if self.training:
            heard = torch.stack([loss.detach().reshape(()).float() for loss in losses.values()])
            for row, loss in zip(rows, average_over_processes(heard), strict=True):
                self._remember(row, loss)
        return dict(zip(losses, weights.unbind(), strict=True))

    def _ratios(self) -> Tensor:
        """Return (tasks,) recent mean / earlier mean, without reading a value on the host."""
        window = (self.num_stored // 2).clamp_max(self.window)[:, None]  # (tasks, 1)
        age = torch.arange(self.history.shape[1], device=self.history.device)
        recent = (self.history * (age < window)).sum(dim=1)
        earlier = (self.history * ((age >= window) & (age < 2 * window))).sum(dim=1)
        return torch.where(earlier > 0, recent / earlier, 1.0)  # windows are equal: sums will do

    def _remember(self, row: int, loss: Tensor) -> None:
        self.history[row] = torch.cat([loss[None], self.history[row, :-1]])
        self.num_stored[row] += 1


def _require_positive(name: str, value: float) -> None:
    if value <= 0:
        raise ValueError(f"{name} must be above 0, got {value} (optim.loss.dwa_{name})")
