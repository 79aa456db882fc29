"""Measure how much the gradient differs from one step to the next."""

from __future__ import annotations

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.optim import Optimizer

from duovox.task.multitask import MultiTask


class GradientVariance(Callback):
    """Compare the gradients of the first `num_steps` steps after the start and each validation.

    The weights hardly move in so few steps, so what differs is the noise of the batches: it falls
    as the inverse of their size, as long as larger ones still help. Gradients are those before
    clipping; those that are not finite are left out. Two curves: `gradient_variance` is the mean
    squared distance from the mean gradient (the trace of the covariance), `gradient_variance_share`
    the same over the squared norm of the mean. A window in which a run was stopped gives no point.

    Costs two copies of the gradients and one pass over them per step of the window.

    Source: Vaessen & van Leeuwen 2024, "The effect of batch size on contrastive self-supervised
    speech representation learning", section on gradient variance; Welford 1962 (the running sums).
    """

    def __init__(self, num_steps: int) -> None:
        if num_steps < 2:
            raise ValueError(
                f"gradients of at least 2 steps can be compared, got {num_steps} "
                "(callbacks.gradient_variance_steps)"
            )
        self.num_steps = num_steps
        self._num_seen = 0
        self._means: list[Tensor] = []
        self._squares: list[Tensor] = []

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start a new window."""
        self._num_seen = 0
        self._means, self._squares = [], []

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Count one more gradient; log the curves after the last of the window."""
        if self._num_seen == self.num_steps:
            return
        self._add(pl_module)
        if self._num_seen == self.num_steps:
            variance = _total(self._squares) / (self.num_steps - 1)
            mean = sum(_total([part.square()]) for part in self._means)
            assert isinstance(pl_module, MultiTask)
            values = {
                "gradient_variance": variance,
                "gradient_variance_share": variance / mean if mean else float("nan"),
            }
            pl_module.log_curves(values, step=trainer.global_step + 1)
            self._means, self._squares = [], []

    @torch.no_grad()
    def _add(self, module: nn.Module) -> None:
        gradients = [
            torch.zeros_like(p) if p.grad is None else p.grad.float()
            for p in module.parameters()
            if p.requires_grad
        ]
        if not torch.isfinite(nn.utils.get_total_norm(gradients)):
            return  # a step that is dropped, or in which half precision looks for its loss scale
        self._num_seen += 1
        if not self._means:
            self._means = [gradient.clone() for gradient in gradients]
            self._squares = [torch.zeros_like(gradient) for gradient in gradients]
            return
        for mean, square, gradient in zip(self._means, self._squares, gradients, strict=True):
            difference = gradient - mean
            mean += difference / self._num_seen
            square += difference * (gradient - mean)


def _total(parts: list[Tensor]) -> float:
    return sum(part.double().sum().item() for part in parts)
