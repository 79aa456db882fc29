"""Warm up, then fall along half a cosine."""

from __future__ import annotations

import math

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from duovox.optim.schedule.curve import check_share, follow, line, peak_lr


def cosine(
    optimizer: Optimizer,
    *,
    max_steps: int,
    warmup_ratio: float = 0.1,
    final_lr_ratio: float = 0.0,
) -> LambdaLR:
    """Rise from 0 over `warmup_ratio` of the run, fall to `final_lr_ratio` of the rate at its end.

    Source: Loshchilov and Hutter 2017, "SGDR", equation 5, one period without restarts.
    """
    check_share("warmup_ratio", warmup_ratio)
    check_share("final_lr_ratio", final_lr_ratio)
    peak = peak_lr(optimizer)
    warmup_end = max_steps * warmup_ratio

    def lr_at(step: int) -> float:
        if step < warmup_end:
            return line(0.0, peak, step / warmup_end)
        if step >= max_steps:
            return final_lr_ratio * peak
        share = (step - warmup_end) / (max_steps - warmup_end)
        return line(final_lr_ratio * peak, peak, (1 + math.cos(math.pi * share)) / 2)

    return follow(optimizer, lr_at)
