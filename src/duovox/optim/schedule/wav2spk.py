"""Steps down at fixed points, as wav2spk was trained."""

from __future__ import annotations

from collections.abc import Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def wav2spk(
    optimizer: Optimizer,
    *,
    max_steps: int,
    milestones: Sequence[int] = (300_000, 450_000, 600_000, 750_000),
    factor: float = 0.1,
) -> LambdaLR:
    """Multiply the rates by `factor` at each milestone (in steps).

    Source: Lin and Mak 2020, "Wav2Spk".
    """
    borders = tuple(milestones)
    return LambdaLR(optimizer, lambda step: factor ** sum(step >= border for border in borders))
