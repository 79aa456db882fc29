"""Exponential decay from the first step on."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from duovox.optim.schedule.tri_stage import tri_stage


def exp_decay(optimizer: Optimizer, *, max_steps: int, final_lr: float = 5e-6) -> LambdaLR:
    """Fall from the optimiser's rate to `final_lr` (absolute) in log space over the whole run."""
    return tri_stage(
        optimizer, max_steps=max_steps, warmup_ratio=0, constant_ratio=0, final_lr=final_lr
    )
