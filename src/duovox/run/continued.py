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
    - a given precision resumes a run whose own, chosen by `auto`, this machine lacks.
    """
    folder = run_folder(config)
    if folder.exists() or not config["resume"]:
        return folder
    setting, is_cpu = config["trainer"]["precision"], not config["gpus"]
    for other in ("bf16",) if setting == "auto" else ("auto", 16):
        trainer = config["trainer"] | {"precision": other}
        earlier = run_folder(config | {"trainer": trainer})
        if not earlier.exists():
            continue
        if setting == "auto":
            is_same = _is_of_earlier_version(earlier)
        else:
            is_same = _was_continued(earlier, setting) or _is_stuck(earlier, is_cpu=is_cpu)
        if is_same:
            return earlier
    return folder


def _is_of_earlier_version(folder: Path) -> bool:
    """Tell whether a run has a checkpoint that does not say in which precision it was trained."""
    return any(precision is None for precision in _precisions(folder))


def _was_continued(folder: Path, setting: object) -> bool:
    """Tell whether a run was last started with a given precision."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        return False
    trainer = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("trainer", {})
    return str(trainer.get("precision")) == str(setting)


def _is_stuck(folder: Path, *, is_cpu: bool) -> bool:
    """Tell whether a run is unfinished, in a precision that this machine lacks."""
    if is_trained(folder):
        return False
    return not all(
        is_available(precision or unstated_precision(is_cpu=is_cpu), is_cpu=is_cpu)
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
