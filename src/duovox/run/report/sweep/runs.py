"""Read the runs below a folder, and what tells them apart."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from duovox.run.report.measures import SetResult, measures_of

DEPTHS = ("*", "*/*")  # <experiment>/<run>, <project>/<experiment>/<run>


@dataclass(frozen=True, kw_only=True)
class SweepRun:
    """One run of a sweep."""

    folder: Path
    settings: dict[str, Any]  # those in which the runs differ, by their place in the tree
    results: dict[str, SetResult]  # by test set; empty: not scored yet

    @property
    def name(self) -> str:
        """The settings in a line: "sample.seed=2, algo.lr=0.0001"."""
        return ", ".join(f"{short(place)}={value}" for place, value in self.settings.items())


def short(place: str) -> str:
    """Return the last two words of a setting's place."""
    return ".".join(place.split(".")[-2:])


def read_sweep(folder: Path, *, circumstances: Collection[str] = ()) -> list[SweepRun]:
    """Return the runs of an experiment or a project, ordered by the settings they differ in.

    Runs that `resume=false` has put aside do not count.

    Args:
        circumstances: settings, by their place in the tree, that tell no runs apart.

    Raises:
        ValueError: there is no run, or a file is damaged.
    """
    found = [path.parent for depth in DEPTHS for path in folder.glob(f"{depth}/config.yaml")]
    folders = sorted(one for one in found if "." not in one.name)
    if not folders:
        raise ValueError(
            f"{folder} is no run folder and has no runs in it. Give "
            "<log_folder>/<project>/<experiment>, or the folder of one run in it"
        )
    configs = [dict(_leaves(_config(one))) for one in folders]
    places = dict.fromkeys(place for config in configs for place in config)
    differing = [
        place
        for place in places
        if place not in circumstances
        and len({json.dumps(config.get(place)) for config in configs}) > 1
    ]
    runs = [
        SweepRun(
            folder=one,
            settings={place: config.get(place) for place in differing},
            results=_test_results(one / "metrics.json"),
        )
        for one, config in zip(folders, configs, strict=True)
    ]
    return sorted(runs, key=lambda run: [_order(value) for value in run.settings.values()])


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    except yaml.YAMLError as fault:
        raise ValueError(f"{folder / 'config.yaml'} is damaged: {fault}") from fault
    if not isinstance(config, dict):
        raise ValueError(f"{folder / 'config.yaml'} is damaged: it holds no settings")
    return config


def _leaves(node: dict[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{place}{key}.")
        else:
            yield f"{place}{key}", value


def _test_results(path: Path) -> dict[str, SetResult]:
    if not path.is_file():
        return {}
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as fault:
        raise ValueError(f"{path} must be a JSON object: {fault}") from fault
    return {name: result for name, result in metrics["test"].items() if measures_of(result)}


def _order(value: Any) -> tuple[bool, float, str]:
    """Sort numbers as numbers, before everything else."""
    is_number = isinstance(value, int | float)
    return not is_number, value if is_number else 0.0, str(value)
