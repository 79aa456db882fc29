"""The same learning rate throughout."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def constant(optimizer: Optimizer, *, max_steps: int) -> LambdaLR:
    """Keep the optimiser's learning rates, for any number of steps."""
    return LambdaLR(optimizer, lambda _step: 1.0)
