"""The progress of training: steps, losses, speed, waiting, and when it will be done."""

from __future__ import annotations

import math
import sys
import time
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console

from duovox.batch import SAMPLE_RATE, TrainingBatch
from duovox.progress import Clock, Pace, Progress, console_on, duration
from duovox.run.estimate import Remainder, faster
from duovox.run.settings import Settings
from duovox.task.multitask import MultiTask

ESTIMATE_STEPS = 20  # of this process, after which it says how long the rest will take
WARM_UP_STEPS = 3  # the first ones are slow, and left out of every estimate
LONG_SECONDS = 30 * 60.0  # from where on it also says what would be faster


class TrainingProgress(Callback):
    """Show steps, losses, audio seconds per second, the share of time spent waiting, time to go.

    A bar in a terminal; elsewhere a line at most every 30 s and at every validation. Only the main
    process shows anything. The time to go is that of steps: neither validating nor saving is in it,
    nor the steps that a resumed run made before.

    The counts are of true samples, without padding. `audio_hours` is what training has processed:
    that of this process times the number of processes. It is one of the curves.

    Args:
        settings: For advice on long runs; None: no advice.
        console: None: standard output.
        clock: In seconds.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        console: Console | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.audio_hours = 0.0
        self.seconds = 0.0
        self._settings = settings
        self._clock = clock
        self._progress = Progress(console or console_on(sys.stdout), clock=clock)
        self._work = self._progress.add("training", None, "steps")
        self._work.pace = Pace(num_skipped=WARM_UP_STEPS)
        self._waiting_pace = Pace(num_skipped=WARM_UP_STEPS)
        self._validation_pace = Pace()
        self._first_step = 0
        self._is_saved = False  # since the last batch
        self._step_seconds = self._step_waiting = 0.0  # of the step in hand
        self._audio = self._seconds = self._waiting = 0.0  # since the last measurement
        self._batch_start = self._batch_end = self._validation_start = clock()

    def state_dict(self) -> dict[str, Any]:
        """Return what training has processed and how long it took."""
        return {"audio_hours": self.audio_hours, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Resume counting."""
        self.audio_hours = state_dict["audio_hours"]
        self.seconds = state_dict["seconds"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to show, and say where a resumed run resumes."""
        self._progress.console.quiet = not trainer.is_global_zero
        self._work.total = trainer.max_steps
        self._work.done = self._first_step = trainer.global_step
        self._progress.start()
        if trainer.global_step > 0:
            self._progress.print(f"resuming from {self._step}")
        self._batch_start = self._batch_end = self._clock()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: TrainingBatch, batch_idx: int
    ) -> None:
        """Count the time since the last batch as waiting, unless a checkpoint was saved in it."""
        self._batch_start = self._clock()
        waiting = 0.0 if self._is_saved else self._batch_start - self._batch_end
        self._is_saved = False
        self._step_waiting += waiting
        self._step_seconds += waiting

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: TrainingBatch,
        batch_idx: int,
    ) -> None:
        """Count the batch; at the end of a step, show how far training is."""
        seconds = sum(int(part.num_samples.sum()) for part in batch.parts) / SAMPLE_RATE
        seconds *= trainer.world_size
        self._audio += seconds
        self.audio_hours += seconds / 3600
        now = self._clock()
        self.seconds += now - self._batch_end
        self._step_seconds += now - self._batch_start
        self._batch_end = now
        assert isinstance(pl_module, MultiTask)
        if pl_module.point:
            pl_module.log_curves({"audio_hours": self.audio_hours}, step=trainer.global_step)
        if trainer.global_step > self._work.done:
            self._count_step(trainer.global_step)
            if self._work.done - self._first_step == ESTIMATE_STEPS:
                self._tell_estimate(trainer, pl_module)
            if self._progress.is_due():
                self._measure(pl_module)
                self._progress.line(self._line())

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin to time a validation, and to show how far it is."""
        self._validation_start = self._clock()
        number = sum(trainer.num_val_batches)
        total = int(number) if math.isfinite(number) else None
        self._validating = self._progress.add(f"validating after {self._step}", total, "batches")

    def on_validation_batch_end(self, *_: Any, **__: Any) -> None:
        """Count a batch of a validation."""
        self._validating.advance()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the scores; validation time is no waiting."""
        self._batch_end = self._clock()
        self._validation_pace.add(self._batch_end - self._validation_start)
        self._progress.remove(self._validating)
        if not trainer.is_global_zero:
            return
        names = ("val_wer", "val_eer", "val_accuracy")
        scores = [f"{n}={float(v):.2%}" for n, v in trainer.callback_metrics.items() if n in names]
        if self._progress.has_bar:
            self._progress.print(f"{self._step}: {'  '.join(scores)}")
        else:
            self._measure(pl_module)
            self._progress.line(self._line(*scores))

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Note that the time until the next batch is not spent waiting for it."""
        self._is_saved = True

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say where training ended, in place of the bar."""
        self._progress.remove(self._work)
        self._progress.print(f"trained {trainer.global_step:,} steps in {duration(self.seconds)}")
        self._progress.stop()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Leave the bar where it is before the error is shown."""
        self._progress.stop()

    @property
    def _step(self) -> str:
        return f"step {self._work.done:,} of {self._work.total:,}"

    def _count_step(self, step: int) -> None:
        num_steps = step - self._work.done
        self._work.done = step
        self._work.pace.add(self._step_seconds, num_steps)
        self._waiting_pace.add(self._step_waiting, num_steps)
        self._seconds += self._step_seconds
        self._waiting += self._step_waiting
        self._step_seconds = self._step_waiting = 0.0

    def _measure(self, module: LightningModule) -> None:
        """Set the losses, and the speed since the last measurement."""
        assert isinstance(module, MultiTask)
        losses = "  ".join(
            f"{name.removeprefix('train_').removesuffix('_loss')} {value.item():.3f}"
            for name, value in module.curves.latest.items()
            if name.endswith("_loss") and name != "train_loss"
        )
        self._work.details = [losses] if losses else []
        if self._seconds > 0:
            speed, waiting = self._audio / self._seconds, self._waiting / self._seconds
            self._work.details.append(f"{speed:.0f}x real time, {waiting:.0%} waiting")
        self._audio = self._seconds = self._waiting = 0.0

    def _line(self, *scores: str) -> str:
        parts = "  ".join((*scores, *self._work.details))
        return f"{self._step}: {', '.join(filter(None, (parts, self._work.to_go)))}"

    def _tell_estimate(self, trainer: Trainer, module: LightningModule) -> None:
        done, total = self._work.done, trainer.max_steps
        if done == total:
            return
        assert isinstance(module, MultiTask)
        interval = int(trainer.val_check_interval or 0) // trainer.accumulate_grad_batches
        left = Remainder(
            num_steps=total - done,
            step_seconds=self._work.pace.seconds or 0.0,
            num_validations=total // interval - done // interval if module.validation else 0,
            validation_seconds=self._validation_pace.seconds,
        )
        text = f"{ESTIMATE_STEPS} steps done: {left}"
        if left.seconds > LONG_SECONDS and self._settings is not None:
            waiting = (self._waiting_pace.seconds or 0) / left.step_seconds
            ways = faster(self._settings, waiting=waiting)
            text += f". Faster with: {'; '.join(ways)}" if ways else ""
        self._progress.print(text)
