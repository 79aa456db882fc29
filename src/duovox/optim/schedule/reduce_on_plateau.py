"""Reduce the learning rate when the monitored number stops falling."""

from __future__ import annotations

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau


def reduce_on_plateau(
    optimizer: Optimizer,
    *,
    max_steps: int,
    factor: float = 0.1,
    patience: int = 3,
    threshold: float = 1e-2,
) -> ReduceLROnPlateau:
    """Multiply the rates by `factor` after more than `patience` validations without progress.

    Step it once per validation with the number to be made small (an EER, a WER, a loss). Progress
    is a number below the best one by more than the share `threshold` of it.
    """
    return ReduceLROnPlateau(
        optimizer, mode="min", factor=factor, patience=patience, threshold=threshold
    )
