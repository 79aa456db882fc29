"""How far a run is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from duovox.run.failure import FAILURE_FILE, read_failure
from duovox.run.finished import METRICS_FILE, RATES_FILE, TRAINING_FILE, is_complete
from duovox.run.lock import is_at_work
from duovox.run.report.sweep.reading import parsed


class Status(StrEnum):
    """What a run is, in the order in which a reader wants to know."""

    DAMAGED = "damaged"  # a file of it can't be read
    FAILED = "failed"
    STOPPED = "stopped"  # nobody is at work; the same command resumes, or begins
    RUNNING = "running"
    NOT_SCORED = "not scored yet"  # trained
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class State:
    """How far a run is."""

    status: Status
    num_steps: int  # optimiser steps, as far as they were logged
    max_steps: int  # asked for
    failed_at: str = ""  # ISO 8601
    error: str = ""  # what a failed run said last, or what can't be read
    ended: str = ""  # how training ended, a word of training.json; empty: it has not, or long ago
    reason: str = ""  # the same in a sentence

    @property
    def steps(self) -> str:
        """Return "400 of 2,000", or "2,000" where that is all."""
        if self.num_steps == self.max_steps:
            return f"{self.num_steps:,}"
        return f"{self.num_steps:,} of {self.max_steps:,}"

    @property
    def remark(self) -> str:
        """Say what went wrong or why training ended, and what to do."""
        if self.status is Status.DAMAGED:
            return self.error
        if self.status is Status.FAILED:
            return f"{self.error} ({self.failed_at})"
        if self.status is Status.STOPPED:
            unknown = "no reason was recorded; the same command resumes"
            return self.reason or (unknown if self.num_steps else "the same command begins")
        if self.status is Status.NOT_SCORED:
            return "; ".join(filter(None, [self.reason, "the same command scores it"]))
        return ""


def read_state(folder: Path, config: dict[str, Any]) -> State:
    """Return how far the run in a folder is; its settings tell how far it shall go.

    Raises:
        ValueError: a file is damaged.
    """
    failed_at, error = parsed(folder / FAILURE_FILE, read_failure, default=("", ""))
    nothing: dict[str, Any] = {}
    training = parsed(folder / TRAINING_FILE, _training, default=nothing)
    is_range_test = bool(config.get("run_lr_range_test"))
    steps = config.get("lr_range_iterations") if is_range_test else _max_steps(config)
    status = _status(folder, training, RATES_FILE if is_range_test else METRICS_FILE)
    ending = {} if status is Status.RUNNING else training  # that of an earlier attempt
    return State(
        status=status,
        num_steps=training.get("steps") or parsed(folder / "metrics.csv", _logged_steps, default=0),
        max_steps=steps or 0,
        failed_at=failed_at,
        error=error,
        ended=ending.get("ended", ""),
        reason=ending.get("reason", ""),
    )


def _status(folder: Path, training: dict[str, Any], results_file: str) -> Status:
    if is_at_work(folder):
        return Status.RUNNING
    if (folder / FAILURE_FILE).is_file():
        return Status.FAILED
    if not is_complete(training):
        return Status.STOPPED
    if (folder / results_file).is_file():
        return Status.DONE
    return Status.NOT_SCORED if training else Status.STOPPED


def _max_steps(config: dict[str, Any]) -> int:
    trainer = config.get("trainer")
    steps = trainer.get("max_steps") if isinstance(trainer, dict) else None
    return steps if isinstance(steps, int) else 0


def _training(text: str) -> dict[str, Any]:
    training: dict[str, Any] = json.loads(text)
    return training | {"steps": int(training["steps"])}


def _logged_steps(text: str) -> int:
    names, *rows = text.rpartition("\n")[0].splitlines() or [""]
    if not rows or "step" not in names.split(","):
        return 0
    return int(rows[-1].split(",")[names.split(",").index("step")])
