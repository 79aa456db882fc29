"""Training without a network: a clock that a test sets, and steps that only take time."""

from __future__ import annotations

import io
from typing import Any

import torch
from rich.console import Console

from duovox.batch import SpeakerBatch
from duovox.run.progress import TrainingProgress


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def lines(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def terminal(width: int) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, color_system=None)


def half_hour() -> SpeakerBatch:
    return SpeakerBatch(
        keys=("a", "b"),
        waves=torch.zeros(2, 1),
        num_samples=torch.tensor([16_000 * 1200, 16_000 * 600]),  # true lengths, 20 and 10 minutes
        speaker_ids=torch.zeros(2, dtype=torch.int64),
    )


def make_steps(
    progress: TrainingProgress,
    clock: Clock,
    trainer: Any,
    module: Any,
    num_steps: int,
    *,
    waiting: float = 0.25,
    computing: float = 0.5,
) -> None:
    for number in range(num_steps):
        clock.now += waiting
        progress.on_train_batch_start(trainer, module, half_hour(), number)
        clock.now += computing
        trainer.global_step += 1
        progress.on_train_batch_end(trainer, module, None, half_hour(), number)


def train(
    progress: TrainingProgress, clock: Clock, trainer: Any, module: Any, num_steps: int
) -> None:
    progress.on_train_start(trainer, module)
    make_steps(progress, clock, trainer, module, num_steps)
    progress.on_train_end(trainer, module)


def validate(
    progress: TrainingProgress, clock: Clock, trainer: Any, module: Any, *, seconds: float = 4
) -> None:
    progress.on_validation_start(trainer, module)
    for _ in range(4):
        clock.now += seconds / 4
        progress.on_validation_batch_end(trainer, module, None, None, 0)
    progress.on_validation_end(trainer, module)
