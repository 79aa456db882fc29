"""Keep `last.ckpt`, from which a run goes on exactly, `best.ckpt`, which is scored, and more."""

from __future__ import annotations

import math
import os
import time
import warnings
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint

from duovox.run.ending import steps_made
from duovox.run.stop import StopSignal
from duovox.run.weights import LAST, PREVIOUS


class BestAndLast(Checkpoint):
    """Save after every validation, and in between every `save_every_minutes`.

    `last.ckpt` holds everything a run needs to go on, and so does `previous.ckpt`, the one before,
    until training ends. `best.ckpt` holds the weights with the lowest `monitor` so far (None: no
    best is kept). With `keep_progress`, the first weights stay as `init.ckpt` and those of each
    validation as `step-005000.ckpt`. Files appear whole or not at all; where one can't be written
    (a full disk), the earlier one stays and training goes on.

    A step that a validation follows is saved after it, not before: a run resumed from there would
    leave that validation out.

    All processes that train together take part in saving, so the first decides for all of them.
    When one of them is told to stop, the step in hand is saved, and all leave.
    """

    def __init__(
        self,
        folder: Path,
        *,
        monitor: str | None,
        save_every_minutes: float,
        stop: StopSignal,
        keep_progress: bool = False,
    ) -> None:
        self.folder = folder
        self.monitor = monitor
        self.stop = stop
        self.keep_progress = keep_progress
        self.save_every_seconds = 60 * save_every_minutes
        self.best_score = math.inf
        self._saved_at = time.monotonic()

    def state_dict(self) -> dict[str, Any]:
        """Return the best score so far."""
        return {"best_score": self.best_score}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a best score."""
        self.best_score = state_dict["best_score"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Take the signals over from Lightning, which would leave the step in hand unsaved."""
        self.stop.listen()
        if self.keep_progress and trainer.global_step == 0:
            self._save(trainer, "init.ckpt", weights_only=True)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save the last state, and the best weights when they are."""
        if trainer.sanity_checking:
            return
        self._save_if_best(trainer)
        if self.keep_progress:
            self._save(trainer, f"step-{trainer.global_step:06d}.ckpt", weights_only=True)
        self._save_last(trainer)

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save the last state when a step has just been finished and it is time, or time to go."""
        num_batches = trainer.fit_loop.epoch_loop.batch_progress.total.ready
        is_validation_next = num_batches % int(trainer.val_check_interval or 1) == 0
        is_step_done = num_batches % trainer.accumulate_grad_batches == 0
        if not is_step_done or is_validation_next:
            return
        is_time = time.monotonic() - self._saved_at >= self.save_every_seconds
        is_wanted = self.stop.is_told or (is_time and trainer.is_global_zero)  # clocks differ
        if trainer.strategy.reduce_boolean_decision(is_wanted, all=False):
            self._save_last(trainer)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save the last state: there may have been steps since the last validation.

        Raises:
            ValueError: it can't be saved; a run without its last steps has not been trained.
        """
        if not self._save(trainer, LAST, weights_only=False):
            raise ValueError(
                f"training is over, and {self.folder / LAST} can't be saved: make room for it; the "
                "same command goes on from the checkpoint before"
            )
        if trainer.is_global_zero:
            (self.folder / PREVIOUS).unlink(missing_ok=True)

    def _save_last(self, trainer: Trainer) -> None:
        """Save the last state, and leave if a process was told to."""
        is_saved = self._save(trainer, LAST, weights_only=False)
        if trainer.strategy.reduce_boolean_decision(self.stop.is_told, all=False):
            made = steps_made(trainer, trainer.max_steps)
            self.stop.leave(f"training stopped {made}{'' if is_saved else ', which is not saved,'}")

    def _save_if_best(self, trainer: Trainer) -> None:
        if self.monitor is None:
            return
        score = float(trainer.callback_metrics[self.monitor])
        is_best = trainer.strategy.broadcast(score < self.best_score)
        if is_best and self._save(trainer, "best.ckpt", weights_only=True):
            self.best_score = score

    def _save(self, trainer: Trainer, name: str, *, weights_only: bool) -> bool:
        """Replace a checkpoint; return whether that was possible."""
        draft = self.folder / f"{name}.tmp"
        self._saved_at = time.monotonic()
        try:
            trainer.save_checkpoint(draft, weights_only=weights_only)
            if trainer.is_global_zero:
                self._put(draft, self.folder / name)
        except OSError as error:
            draft.unlink(missing_ok=True)
            warnings.warn(f"{self.folder / name} can't be saved: {error}", stacklevel=2)
            trainer.strategy.barrier()  # where the other processes wait for this one's file
            return False
        return True

    def _put(self, draft: Path, path: Path) -> None:
        """Give a checkpoint its name once it is on the disk; the last one becomes the previous."""
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        if path.name == LAST and path.is_file():
            path.replace(self.folder / PREVIOUS)
        draft.replace(path)
