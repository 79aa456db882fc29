"""The files that tell how far a run is, and the number that a finished one gives to sweeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

import yaml

from duovox.run.weights import CONFIG_FILE

TRAINING_FILE = "training.json"  # written whenever training ends
METRICS_FILE = "metrics.json"  # written when all sets are scored
RATES_FILE = "lr_range.csv"  # written when a range test is over


def is_trained(folder: Path) -> bool:
    """Tell whether training is over: it has ended, and was not interrupted by a signal or an error.

    Raises:
        ValueError: training.json is damaged.
    """
    path = folder / TRAINING_FILE
    if not path.is_file():
        return False
    try:
        return is_complete(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, AttributeError) as error:
        raise ValueError(
            f"{path} is damaged, so nothing tells whether this run is trained ({error}): remove it "
            "to resume training from the last checkpoint, or restore it"
        ) from error


def is_complete(training: Mapping[str, Any]) -> bool:
    """Tell whether training.json is that of a trained run; early ones were written for no other."""
    return bool(training.get("complete", True))


def scored_before(folder: Path, plain: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the metrics of a run that was trained and scored with exactly these settings.

    None where something is left to do: also where the latest command had these settings, but the
    metrics are those of an earlier one.
    """
    config, metrics = folder / CONFIG_FILE, folder / METRICS_FILE
    if not (config.is_file() and metrics.is_file() and is_trained(folder)):
        return None
    if config.stat().st_mtime_ns > metrics.stat().st_mtime_ns:
        return None
    if yaml.safe_load(config.read_text(encoding="utf-8")) != plain:
        return None
    found: dict[str, Any] = json.loads(metrics.read_text(encoding="utf-8"))
    return found


def objective(metrics: Mapping[str, Any]) -> float:
    """Return what sweeps minimise: the validation sets' mean WER, EER and loss, added up."""
    results = metrics["validation"].values()
    return sum(
        fmean(values)
        for metric in ("wer", "eer", "loss")
        if (values := [result[metric] for result in results if metric in result])
    )
