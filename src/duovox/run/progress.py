"""The progress bar of training: steps, speed, waiting, losses, and when it will be done."""

from __future__ import annotations

import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from duovox.batch import SAMPLE_RATE, TrainingBatch
from duovox.task.multitask import MultiTask


class TrainingProgress(Callback):
    """Show steps, audio seconds per second, the share of time spent waiting for data, and losses.

    The counts are of true samples, without padding. `audio_hours` is what training has heard: that
    of this process times the number of processes. It is one of the curves.
    """

    def __init__(self) -> None:
        self.audio_hours = 0.0
        self.seconds = 0.0
        self._bar = Progress(
            TextColumn("[bold]training"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[speed]}"),
            TextColumn("{task.fields[losses]}"),
        )
        self._waiting = self._window_audio = 0.0
        self._window_start = self._batch_end = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """Return what training has heard and how long it took."""
        return {"audio_hours": self.audio_hours, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on counting."""
        self.audio_hours = state_dict["audio_hours"]
        self.seconds = state_dict["seconds"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the bar."""
        if trainer.is_global_zero:
            self._task = self._bar.add_task(
                "training",
                total=trainer.max_steps,
                completed=trainer.global_step,
                speed="",
                losses="",
            )
            self._bar.start()
        self._window_start = self._batch_end = time.monotonic()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: TrainingBatch, batch_idx: int
    ) -> None:
        """Count the time since the last batch as waiting."""
        self._waiting += time.monotonic() - self._batch_end

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: TrainingBatch,
        batch_idx: int,
    ) -> None:
        """Count the batch and refresh the bar about once a second."""
        seconds = sum(int(part.num_samples.sum()) for part in batch.parts) / SAMPLE_RATE
        seconds *= trainer.world_size
        self._window_audio += seconds
        self.audio_hours += seconds / 3600
        now = time.monotonic()
        self.seconds += now - self._batch_end
        self._batch_end = now
        assert isinstance(pl_module, MultiTask)
        if pl_module.point:
            pl_module.log_curves({"audio_hours": self.audio_hours}, step=trainer.global_step)
        if now - self._window_start > 1.0:
            self._refresh(trainer, pl_module, now - self._window_start)
            self._window_start, self._waiting, self._window_audio = now, 0.0, 0.0

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the scores above the bar; validation time is no waiting."""
        self._window_start = self._batch_end = time.monotonic()
        if not trainer.is_global_zero:
            return
        names = ("val_wer", "val_eer", "val_accuracy")
        scores = [f"{n}={float(v):.2%}" for n, v in trainer.callback_metrics.items() if n in names]
        self._bar.console.print(f"step {trainer.global_step}: {'  '.join(scores)}")

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show where training ended and leave the bar at that."""
        if trainer.is_global_zero:
            self._bar.update(self._task, completed=trainer.global_step)
        self._bar.stop()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away before the error is shown."""
        self._bar.stop()

    def _refresh(self, trainer: Trainer, pl_module: LightningModule, seconds: float) -> None:
        if not trainer.is_global_zero:
            return
        speed = (
            f"{self._window_audio / seconds:.0f}x real time, {self._waiting / seconds:.0%} waiting"
        )
        assert isinstance(pl_module, MultiTask)
        losses = "  ".join(
            f"{name.removeprefix('train_').removesuffix('_loss')} {value.item():.3f}"
            for name, value in pl_module.curves.latest.items()
            if name.endswith("_loss") and name != "train_loss"
        )
        self._bar.update(self._task, completed=trainer.global_step, speed=speed, losses=losses)
