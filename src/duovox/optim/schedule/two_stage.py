"""Warm up, then fall in a straight line to 0."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from duovox.optim.schedule.curve import check_share, follow, line, peak_lr


def two_stage(
    optimizer: Optimizer,
    *,
    max_steps: int,
    warmup_ratio: float = 0.1,
    initial_lr_ratio: float = 0.01,
) -> LambdaLR:
    """Rise to the optimiser's rate over `warmup_ratio` of the run, fall to 0 over the rest.

    Args:
        initial_lr_ratio: where the rise begins, as a ratio to the optimiser's rate.
    """
    check_share("warmup_ratio", warmup_ratio)
    check_share("initial_lr_ratio", initial_lr_ratio)
    peak = peak_lr(optimizer)
    warmup_end = max_steps * warmup_ratio

    def lr_at(step: int) -> float:
        if step < warmup_end:
            return line(initial_lr_ratio * peak, peak, step / warmup_end)
        if step >= max_steps:
            return 0.0
        return line(peak, 0.0, (step - warmup_end) / (max_steps - warmup_end))

    return follow(optimizer, lr_at)
