"""How long the rest of a training run will take, and what would make it faster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from duovox.network.wav2vec2.architecture import tiny
from duovox.progress import duration
from duovox.run.settings import Settings

MUCH_WAITING = 0.2  # of the time


@dataclass(frozen=True, kw_only=True)
class Remainder:
    """What is left of a run; a validation's seconds are None before one has been timed."""

    num_steps: int
    step_seconds: float
    num_validations: int
    validation_seconds: float | None

    @property
    def seconds(self) -> float:
        """How long it will take, with validations if these have been timed."""
        validating = self.num_validations * (self.validation_seconds or 0)
        return self.num_steps * self.step_seconds + validating

    def __str__(self) -> str:
        """Return it as a part of a sentence."""
        steps = f"{self.num_steps:,} steps at {_fine(self.step_seconds)}"
        about = f"about {duration(self.seconds)} to go"
        if not self.num_validations:
            return f"{about} ({steps})"
        if self.validation_seconds is None:
            return f"{about} without validations ({steps})"
        validations = f"{self.num_validations} validations at {_fine(self.validation_seconds)}"
        return f"{about} ({steps}, {validations})"


def _fine(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 10 else duration(seconds)


def faster(settings: Settings, *, waiting: float) -> list[str]:
    """Return what to change, each with its settings as they are typed.

    Args:
        waiting: share of the time that steps have waited for data.
    """
    return [*_loading(settings, waiting), *_machine(settings), *_busyness()]


def _loading(settings: Settings, waiting: float) -> Iterator[str]:
    if waiting <= MUCH_WAITING:
        return
    workers: dict[str, int] = {}
    if settings.speech is not None:
        workers["speech.dataloader.num_workers"] = settings.speech.dataloader.num_workers
    if settings.speaker is not None:
        workers["speaker.dataloader.num_workers"] = settings.speaker.dataloader.num_workers
    if settings.ssl is not None:  # which has words of its own
        workers["data.pipe.train.num_workers"] = settings.ssl.dataloader.num_workers
    more = " ".join(f"{name}={2 * max(number, 1)}" for name, number in workers.items())
    yield f"more loader workers, for {waiting:.0%} of the time is spent waiting for data ({more})"


def _machine(settings: Settings) -> Iterator[str]:
    if settings.gpus == 0:
        yield "a GPU (gpus=1)"
        steps = "train.num_steps" if settings.ssl else "trainer.max_steps"
        yield f"fewer steps ({steps})"
        if settings.network.wav2vec_checkpoint is not None:
            smaller = "network.wav2vec_checkpoint=null network/architecture=tiny"
            yield f"a smaller network, from random weights ({smaller})"
        elif settings.network.architecture.get("width", 0) > tiny().width:
            yield "a smaller network (network/architecture=tiny)"
    if str(settings.trainer.precision) == "32":
        yield "fewer bits where the processor is faster with them (trainer.precision=auto)"


def _busyness() -> Iterator[str]:
    load, num_cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > num_cores:
        busy = f"its load, with this run, is {load:.1f} on {num_cores} cores"
        yield f"a machine that is less busy ({busy})"
