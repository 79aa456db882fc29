"""By how much the loss is scaled up in half precision, whose small gradients would else be zero."""

from __future__ import annotations

from lightning.pytorch import Trainer


def loss_scale(trainer: Trainer) -> float:
    """Return the scale of torch's `GradScaler` in this step; 1 where there is none.

    It starts at 2**16 and is halved in each step whose gradients are not finite, which the scaler
    skips, until they are finite.
    """
    scaler = getattr(trainer.precision_plugin, "scaler", None)
    return float(scaler.get_scale()) if scaler is not None else 1.0
