"""Let an optimiser follow a curve of learning rates."""

from __future__ import annotations

from collections.abc import Callable

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def peak_lr(optimizer: Optimizer) -> float:
    """Return the optimiser's own learning rate, which schedules rise to."""
    peak = float(optimizer.defaults["lr"])
    check_rate("the optimiser's lr (optim.algo.lr)", peak)
    return peak


def follow(optimizer: Optimizer, lr_at: Callable[[int], float]) -> LambdaLR:
    """Set the rate to `lr_at(step)`; groups with another rate keep their ratio to the optimiser's.

    The scheduler's state is its step count, so it loads without unpickling anything.
    """
    peak = peak_lr(optimizer)
    return LambdaLR(optimizer, lambda step: lr_at(step) / peak)


def line(start: float, end: float, share: float) -> float:
    """Return the point `share` (0 to 1) of the way from start to end."""
    return start + (end - start) * share


def check_share(name: str, share: float) -> None:
    """Refuse a part of the run that is not in [0, 1]."""
    if not 0 <= share <= 1:
        raise ValueError(f"{name} must lie in [0, 1] (a share of max_steps), got {share}")


def check_rate(name: str, rate: float) -> None:
    """Refuse a learning rate, or a ratio of rates, that is not above 0."""
    if rate <= 0:
        raise ValueError(f"{name} must be above 0, got {rate}")
