"""Why training ended: a word for programs and a sentence, in training.json."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, Trainer

from duovox.data.atomic import write_whole
from duovox.run.early_stopping import EarlyStopping
from duovox.run.environment import is_main_process
from duovox.run.failure import failure_sentence
from duovox.run.finished import TRAINING_FILE
from duovox.run.settings import Trainer as TrainerSettings
from duovox.run.stop import Stopped, StopSignal


class End(StrEnum):
    """How training can end; a run that ended by the last two is not trained, and resumes."""

    MAX_STEPS = "max_steps"
    STOP_AT_STEP = "stop_at_step"
    EARLY_STOPPING = "early_stopping"
    SIGNAL = "signal"
    ERROR = "error"


def steps_made(trainer: Trainer, num_steps: int) -> str:
    """Return "after step 12 of 150", or "after step 150" where that is all."""
    made = f"after step {trainer.global_step:,}"
    return f"{made} of {num_steps:,}" if trainer.global_step < num_steps else made


@contextmanager
def ending_noted(
    folder: Path,
    trainer: Trainer,
    settings: TrainerSettings,
    observers: Sequence[Callback],
    *,
    stop: StopSignal,
) -> Iterator[None]:
    """Write training.json when the block, which trains, ends; print why it ended.

    The file also holds the states of the observers: hours of audio, seconds, precision, FLOPs.

    Of processes that train together the main one writes. What an earlier, interrupted attempt has
    written is removed first. A signal and an error print their own sentence, at the entry point.
    """
    path = folder / TRAINING_FILE
    earlier: dict[str, Any] = {}
    if is_main_process():
        earlier = _read(path)
        path.unlink(missing_ok=True)
    try:
        yield
    except BaseException as error:
        if is_main_process():
            end, reason = _interruption(error, trainer, stop)
            with suppress(OSError, ValueError):  # on a full disk the error itself is what matters
                states = _states(trainer, observers)
                if earlier and trainer.global_step == 0:  # not even resumed
                    states, reason = earlier, f"training did not resume: {failure_sentence(error)}"
                _write(path, states, end=end, reason=reason)
            if end is End.SIGNAL and not isinstance(error, Stopped):  # submitit ends the job
                print(reason, flush=True)
        raise
    if is_main_process():
        end, reason = _completion(trainer, settings)
        _write(path, _states(trainer, observers), end=end, reason=reason)
        print(reason)


def _completion(trainer: Trainer, settings: TrainerSettings) -> tuple[End, str]:
    """Return why training is complete."""
    ended = f"training ended {steps_made(trainer, settings.max_steps)}"
    if trainer.global_step < trainer.max_steps:
        watchers = trainer.early_stopping_callbacks
        reasons = [one.reason for one in watchers if isinstance(one, EarlyStopping) and one.reason]
        # The processes validate by themselves, and may differ in a last digit.
        reasons = reasons or ["callbacks.early_stopping in another of its processes"]
        return End.EARLY_STOPPING, f"{ended}: {'; '.join(reasons)}"
    if settings.stop_at_step in (None, settings.max_steps):
        return End.MAX_STEPS, f"{ended}: all steps of trainer.max_steps are made"
    return End.STOP_AT_STEP, f"{ended}: trainer.stop_at_step is reached"


def _interruption(error: BaseException, trainer: Trainer, stop: StopSignal) -> tuple[End, str]:
    """Return why training is not complete."""
    if stop.sentence:
        return End.SIGNAL, stop.sentence
    made = steps_made(trainer, trainer.max_steps)
    return End.ERROR, f"training ended {made} by an error: {failure_sentence(error)}"


def _states(trainer: Trainer, observers: Sequence[Callback]) -> dict[str, Any]:
    states = {name: value for one in observers for name, value in one.state_dict().items()}
    return states | {"steps": trainer.global_step}


def _read(path: Path) -> dict[str, Any]:
    """Return what an earlier attempt has written; nothing where that can't be read."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _write(path: Path, states: dict[str, Any], *, end: End, reason: str) -> None:
    complete = end not in (End.SIGNAL, End.ERROR)
    training = states | {"ended": end, "reason": reason, "complete": complete}
    write_whole(path, json.dumps(training, indent=2) + "\n")
