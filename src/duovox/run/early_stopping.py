"""Early stopping that says why, in the words of the settings."""

from __future__ import annotations

from typing import Any

from lightning.pytorch import LightningModule, Trainer, callbacks
from lightning.pytorch.callbacks.early_stopping import EarlyStoppingReason

from duovox.run.settings import EarlyStop


class EarlyStopping(callbacks.EarlyStopping):
    """Lightning's early stopping; `reason` is a sentence once it has ended training.

    The state is saved with the checkpoint of the validation that ends training, so a run that is
    interrupted between the two ends when it is resumed. It is stored under the name of the class,
    which is Lightning's.

    Args:
        setting: where the rule stands, such as "callbacks.early_stopping[0]".
    """

    def __init__(self, rule: EarlyStop, *, setting: str) -> None:
        super().__init__(
            rule.monitor,
            patience=rule.patience,
            divergence_threshold=rule.divergence_threshold,
            mode="min",
        )
        self.setting = setting
        self.best_step: int | None = None  # None: before the first validation, or not recorded
        self.reason = ""

    def state_dict(self) -> dict[str, Any]:
        """Return Lightning's state, the step of the best value, and the reason."""
        return super().state_dict() | {"best_step": self.best_step, "reason": self.reason}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume; a state that Lightning's class has saved lacks two entries."""
        super().load_state_dict(state_dict)
        self.best_step = state_dict.get("best_step")
        self.reason = state_dict.get("reason", "")

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """End a resumed run that had been stopped already."""
        trainer.should_stop = trainer.should_stop or bool(self.reason)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Look at a new value, and note its step if it is the best or the reason if it ends."""
        super().on_validation_end(trainer, pl_module)
        if self.stopping_reason is not EarlyStoppingReason.NOT_STOPPED:
            self.reason = self._reason(float(trainer.callback_metrics[self.monitor]))
        elif self.wait_count == 0:
            self.best_step = trainer.global_step

    def _reason(self, value: float) -> str:
        found = f"{self.monitor}={value:.6g}"
        if self.stopping_reason is EarlyStoppingReason.NON_FINITE_METRIC:
            return f"{found} is not finite ({self.setting})"
        if self.stopping_reason is EarlyStoppingReason.DIVERGENCE_THRESHOLD:
            limit = f"{self.setting}.divergence_threshold={self.divergence_threshold}"
            return f"{found} is above {limit}"
        best = f"{float(self.best_score):.6g}"
        step = f" (step {self.best_step:,})" if self.best_step is not None else ""
        validations = f"{self.wait_count} validation{'s' if self.wait_count > 1 else ''}"
        return (
            f"{self.monitor} has not improved on {best}{step} for {validations} "
            f"({self.setting}.patience)"
        )
