"""Leave the first validations out."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class ValidationDelay(Callback):
    """Validate from step `num_steps` on, at the steps when it is time anyway.

    It asks the step alone, so a resumed run validates where an undisturbed one does.
    """

    def __init__(self, num_steps: int) -> None:
        self.num_steps = num_steps

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Switch validation, which follows if it is time, on or off."""
        trainer.limit_val_batches = 1.0 if trainer.global_step >= self.num_steps else 0
