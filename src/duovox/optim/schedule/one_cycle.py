"""One long rise and fall (super-convergence)."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR


def one_cycle(
    optimizer: Optimizer,
    *,
    max_steps: int,
    div_factor: float = 25.0,
    cycle_momentum: bool = True,
) -> OneCycleLR:
    """Rise from the groups' rates / `div_factor` to their rates in 30 % of the run, then fall to 0.

    Args:
        cycle_momentum: let momentum (Adam: the first beta) fall from .95 to .85 while rates rise.

    Source: Smith and Topin 2018, "Super-Convergence"; the annealing is torch's.
    """
    return OneCycleLR(
        optimizer,
        max_lr=[group["lr"] for group in optimizer.param_groups],
        total_steps=max_steps,
        div_factor=div_factor,
        cycle_momentum=cycle_momentum,
    )
