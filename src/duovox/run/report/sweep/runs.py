"""Read the runs below a folder, and what tells them apart."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from duovox.run.finished import METRICS_FILE, objective
from duovox.run.leaves import leaves
from duovox.run.report.measures import SetResult, measures_of
from duovox.run.report.sweep.naming import (
    RATE,
    Settings,
    differing,
    experiment_of,
    settings_text,
    telling,
)
from duovox.run.report.sweep.reading import parsed
from duovox.run.report.sweep.state import State, Status, read_state
from duovox.run.weights import CONFIG_FILE

DEPTHS = ("*", "*/*")  # <experiment>/<run>, <project>/<experiment>/<run>


@dataclass(frozen=True, kw_only=True)
class SweepRun:
    """One run of a sweep."""

    folder: Path
    experiment: str
    settings: Settings  # those in which the runs of its experiment differ
    telling: Settings  # those of them that it is called by
    lr: float | None  # the learning rate
    state: State
    results: dict[str, SetResult]  # by test set; empty: not scored yet
    validation: dict[str, SetResult]
    objective: float | None  # what sweeps minimise, from validation

    @property
    def name(self) -> str:
        """The experiment and the settings in a line."""
        return name_of(self.experiment, self.telling)


def name_of(experiment: str, settings: Settings) -> str:
    """Return "digits: sample.seed=2, algo.lr=0.0001"."""
    return f"{experiment}: {text}" if (text := settings_text(settings)) else experiment


def read_sweep(folder: Path, *, circumstances: Collection[str] = ()) -> list[SweepRun]:
    """Return the runs of an experiment or a project, by experiment and differing settings.

    Runs that `resume=false` has put aside do not count. One of which a file is damaged is there by
    the name of its folder.

    Args:
        circumstances: settings, by their place in the tree, that tell no runs apart.

    Raises:
        ValueError: there is no run.
    """
    found = [path.parent for depth in DEPTHS for path in folder.glob(f"{depth}/{CONFIG_FILE}")]
    folders = sorted(one for one in found if "." not in one.name)
    if not folders:
        raise ValueError(
            f"{folder} is no run folder and has no runs in it. Give "
            "<log_folder>/<project>/<experiment>, or the folder of one run in it"
        )
    experiments: dict[str, dict[Path, _Files]] = {}
    damaged = []
    for one in folders:
        try:
            files = _read(one)
        except ValueError as fault:
            damaged.append(_damaged(one, str(fault)))
        else:
            experiments.setdefault(experiment_of(one, files.config), {})[one] = files
    runs = [
        run
        for experiment in sorted(experiments)
        for run in _runs(experiment, experiments[experiment], circumstances)
    ]
    return runs + damaged


@dataclass(frozen=True, kw_only=True)
class _Scores:
    """What a run reached."""

    results: dict[str, SetResult] = field(default_factory=dict)
    validation: dict[str, SetResult] = field(default_factory=dict)
    objective: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Files:
    """What lies in the folder of a run."""

    config: dict[str, Any]
    scores: _Scores
    state: State


def _read(folder: Path) -> _Files:
    nothing: dict[str, Any] = {}
    config = parsed(folder / CONFIG_FILE, _config, default=nothing)
    return _Files(
        config=config,
        scores=parsed(folder / METRICS_FILE, _scores, default=_Scores()),
        state=read_state(folder, config),
    )


def _damaged(folder: Path, fault: str) -> SweepRun:
    """Return a run that is counted and named, and nothing else."""
    state = State(status=Status.DAMAGED, num_steps=0, max_steps=0, error=" ".join(fault.split()))
    return SweepRun(
        folder=folder,
        experiment=folder.parent.name,
        settings={},
        telling={},
        lr=None,
        state=state,
        results={},
        validation={},
        objective=None,
    )


def _runs(
    experiment: str, found: dict[Path, _Files], circumstances: Collection[str]
) -> list[SweepRun]:
    all_settings = [
        {place: value for place, value in leaves(files.config) if value != {}}
        for files in found.values()
    ]
    places = differing(all_settings, circumstances=circumstances)
    settings = [{place: one.get(place) for place in places} for one in all_settings]
    runs = []
    for (folder, files), own, named, whole in zip(
        found.items(), settings, telling(settings), all_settings, strict=True
    ):
        runs.append(
            SweepRun(
                folder=folder,
                experiment=experiment,
                settings=own,
                telling=named,
                lr=whole.get(RATE),
                state=files.state,
                results=files.scores.results,
                validation=files.scores.validation,
                objective=files.scores.objective,
            )
        )
    return sorted(runs, key=lambda run: [_order(value) for value in run.settings.values()])


def mean_over_sets(results: Iterable[SetResult], measure: str) -> float | None:
    """Return the mean of a measure over the sets that have it."""
    values = [result[measure] for result in results if result.get(measure) is not None]
    return sum(values) / len(values) if values else None


def _config(text: str) -> dict[str, Any]:
    config = yaml.load(text, _SAFE_LOADER)  # noqa: S506
    if not isinstance(config, dict):
        raise ValueError("it holds no settings")
    return config


# In C where there is one: 12 times as fast, which a study of a hundred runs feels.
_SAFE_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _scores(text: str) -> _Scores:
    metrics = json.loads(text)
    validation = _scored(metrics.get("validation", {}))
    return _Scores(
        results=_scored(metrics.get("test", {})),
        validation=validation,
        objective=_objective(metrics) if validation else None,
    )


def _scored(results: dict[str, SetResult]) -> dict[str, SetResult]:
    """Return what was measured; a number that is not finite was not."""
    finite = {
        name: {key: value for key, value in result.items() if _is_finite(value)}
        for name, result in results.items()
    }
    return {name: result for name, result in finite.items() if measures_of(result)}


def _is_finite(value: Any) -> bool:
    values = value if isinstance(value, list) else [value]
    return all(math.isfinite(one) for one in values if isinstance(one, float))


def _objective(metrics: dict[str, Any]) -> float | None:
    value = objective(metrics)
    return value if math.isfinite(value) else None


def _order(value: Any) -> tuple[bool, float, str]:
    """Sort numbers as numbers, before everything else."""
    is_number = isinstance(value, int | float)
    return not is_number, value if is_number else 0.0, str(value)
