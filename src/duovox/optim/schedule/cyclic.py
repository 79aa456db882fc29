"""Triangular waves between two learning rates."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from duovox.optim.schedule.curve import check_rate, follow, line, peak_lr


def cyclic(
    optimizer: Optimizer,
    *,
    max_steps: int,
    base_lr: float = 1e-4,
    max_lr: float = 0.02,
    num_steps_up: int = 2500,
    num_steps_down: int = 2500,
) -> LambdaLR:
    """Rise from `base_lr` to `max_lr` and back, again and again, for any number of steps.

    Both rates are absolute and replace the optimiser's own.

    Source: Smith 2017, "Cyclical Learning Rates for Training Neural Networks" (triangular).
    """
    check_rate("base_lr", base_lr)
    check_rate("max_lr", max_lr)
    check_rate("num_steps_up", num_steps_up)
    check_rate("num_steps_down", num_steps_down)

    def lr_at(step: int) -> float:
        position = step % (num_steps_up + num_steps_down)
        if position < num_steps_up:
            return line(base_lr, max_lr, position / num_steps_up)
        return line(max_lr, base_lr, (position - num_steps_up) / num_steps_down)

    return follow(optimizer, lr_at)


def relative_cyclic(
    optimizer: Optimizer,
    *,
    max_steps: int,
    base_lr_ratio: float = 0.01,
    num_steps_up: int = 25_000,
    num_steps_down: int = 25_000,
) -> LambdaLR:
    """Do as `cyclic`, between `base_lr_ratio` times the optimiser's rate and that rate."""
    peak = peak_lr(optimizer)
    return cyclic(
        optimizer,
        max_steps=max_steps,
        base_lr=base_lr_ratio * peak,
        max_lr=peak,
        num_steps_up=num_steps_up,
        num_steps_down=num_steps_down,
    )
