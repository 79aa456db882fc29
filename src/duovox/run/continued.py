"""Find the run that a command resumes, also where it began with another `trainer.precision`."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from duovox.run.finished import is_trained
from duovox.run.folder import run_folder
from duovox.run.precision import Name, is_available, precision_of, unstated_precision
from duovox.run.weights import CONFIG_FILE, LAST, PREVIOUS


def find_run_folder(config: dict[str, Any]) -> Path:
    """Return the folder of a run. It may exist under the name of another `trainer.precision`.

    A run's name holds the setting, and these are the same run nevertheless:

    - `auto` resumes what an earlier version trained in bf16, which its small experiments fixed;
    - a given precision resumes a run whose own, which was not given, this machine lacks.

    Once resumed, either is found by the setting with which it was last started.
    """
    folder = run_folder(config)
    if folder.exists() or not config["resume"]:
        return folder
    setting, is_cpu = config["trainer"]["precision"], not config["gpus"]
    for other in ("bf16",) if setting == "auto" else ("auto", 16, "bf16"):
        trainer = config["trainer"] | {"precision": other}
        earlier = run_folder(config | {"trainer": trainer})
        if not earlier.exists():
            continue
        # Of those named after bf16, only what an earlier version began was not given it.
        is_chosen = other != "bf16" or _is_of_earlier_version(earlier)
        is_chosen = is_chosen or _was_started_with(earlier, "auto")
        is_resumable = setting == "auto" or _is_stuck(earlier, other, is_cpu=is_cpu)
        if _was_started_with(earlier, setting) or (is_chosen and is_resumable):
            return earlier
    return folder


def _is_of_earlier_version(folder: Path) -> bool:
    """Return whether a run has a checkpoint that does not state its precision."""
    return any(precision is None for precision in _precisions(folder))


def _was_started_with(folder: Path, setting: object) -> bool:
    """Return whether a run was last started with a setting of the precision."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        return False
    trainer = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("trainer", {})
    return str(trainer.get("precision")) == str(setting)


def _is_stuck(folder: Path, setting: object, *, is_cpu: bool) -> bool:
    """Return whether a run that began with a setting is unfinished, in a precision not had here."""
    if is_trained(folder):
        return False
    return not all(
        is_available(precision or unstated_precision(setting, is_cpu=is_cpu), is_cpu=is_cpu)
        for precision in _precisions(folder)
    )


def _precisions(folder: Path) -> list[Name | None]:
    """Return the precision of the newest whole checkpoint in a list; of a run without one, []."""
    for name in (LAST, PREVIOUS):
        path = folder / "checkpoints" / name
        if path.is_file():
            with suppress(ValueError):  # damaged: resuming reports it
                return [precision_of(path)]
    return []
