"""What runs are called: their experiment, and the settings that tell them apart in it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Settings: TypeAlias = dict[str, Any]  # by their place in the tree: "optim.algo.lr"

RATE = "optim.algo.lr"
SEEDS = ("seed", "data.speech.sample.seed")
LONGEST_NUMBER = 8  # characters; a longer one was drawn, not typed
LONGEST = 40  # characters of a value; of a longer one the end is shown


def experiment_of(folder: Path, config: Mapping[str, Any]) -> str:
    """Return the name of a run's experiment; without one, what it learns.

    An experiment without a name has a folder of its own for each run.
    """
    if config.get("experiment_name") is not None or "experiment_name" not in config:
        return folder.parent.name
    tasks = [task for task in ("speech", "speaker", "ssl") if config.get(task)]
    return " and ".join(tasks) or folder.parent.name


def differing(runs: Sequence[Settings], *, circumstances: Collection[str]) -> list[str]:
    """Return the places in which runs differ; of those that say the same the first."""
    columns: dict[str, str] = {}  # values over the runs -> place
    for place in dict.fromkeys(place for run in runs for place in run):
        values = [json.dumps(run.get(place)) for run in runs]
        if place not in circumstances and len(set(values)) > 1:
            columns.setdefault(json.dumps(values), place)
    return list(columns.values())


def telling(runs: Sequence[Settings]) -> list[Settings]:
    """Return what to call each run of an experiment by.

    A value that more than half of the runs share is left out, so that a variant is called by what
    it changes; learning rates and seeds are always told.
    """
    counts = {place: Counter(json.dumps(run[place]) for run in runs) for place in runs[0]}
    usual = {
        place: value
        for place, found in counts.items()
        for value, count in found.most_common(1)
        if count > len(runs) / 2 and place not in (RATE, *SEEDS)
    }
    return [
        {place: value for place, value in run.items() if json.dumps(value) != usual.get(place)}
        for run in runs
    ]


def settings_text(settings: Settings) -> str:
    """Return settings in a line: "sample.seed=2, algo.lr=0.0001"."""
    return ", ".join(f"{short(place)}={shown(value)}" for place, value in settings.items())


def short(place: str) -> str:
    """Return the last two words of a setting's place."""
    return ".".join(place.split(".")[-2:])


def shown(value: Any) -> str:
    """Return a value as it is typed; of one that is long, three digits or the end."""
    if isinstance(value, float) and len(str(value)) > LONGEST_NUMBER:
        return f"{value:.3g}"
    text = json.dumps(value) if value is None or isinstance(value, bool) else str(value)
    return text if len(text) <= LONGEST else f"…{text[-LONGEST:]}"


def plain(value: Any) -> Any:
    """Return a value for a spreadsheet: numbers as they are, everything else as it is typed."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number or isinstance(value, str) else json.dumps(value)
