"""Read what a run left behind, whole or unfinished."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duovox.run.failure import FAILURE_FILE, read_failure
from duovox.run.finished import TRAINING_FILE
from duovox.run.report.code_plot import CodeUse, read_code_use
from duovox.run.report.curve import Curve, read_curves
from duovox.run.report.hypotheses import Hypothesis, read_hypotheses
from duovox.run.report.json_lines import read_json_lines
from duovox.run.report.mask_plot import MaskedUtterance, read_masked
from duovox.run.report.scores import ScoredTrials, read_scores

PARTS = ("metrics.csv", "metrics.json", "scores", "hypotheses", "config.yaml")


@dataclass(frozen=True, kw_only=True)
class RunResults:
    """Everything the report tells about; what the run did not write is empty."""

    folder: Path  # absolute: <log_folder>/<project>/<experiment>/<run>
    metrics: dict[str, Any]  # metrics.json
    training: dict[str, Any]  # training.json
    failure: tuple[str, str]  # error.txt: when (ISO 8601), and why
    curves: dict[str, Curve]  # columns of metrics.csv
    hypotheses: dict[str, list[Hypothesis]]  # by set
    trial_lists: list[ScoredTrials]
    code_uses: list[CodeUse]  # of pre-training
    masked: list[MaskedUtterance]  # one, or none
    bad_utterances: list[dict[str, Any]]
    config: str  # YAML text
    environment: dict[str, Any]

    @property
    def all_hypotheses(self) -> list[Hypothesis]:
        """The hypotheses of every set."""
        return [item for items in self.hypotheses.values() for item in items]


def is_run(folder: Path) -> bool:
    """Tell whether a run has left anything in a folder."""
    return any((folder / part).exists() for part in PARTS)


def read_run(run_folder: Path) -> RunResults:
    """Return the results in a run folder.

    Raises:
        ValueError: it is no run folder, or a file in it is damaged.
    """
    folder = run_folder.resolve()
    if not is_run(folder):
        raise ValueError(
            f"{run_folder} is no run folder: it has none of {', '.join(PARTS)}. "
            f"Give <log_folder>/<project>/<experiment>/<run>"
        )
    curves, bad_utterances = folder / "metrics.csv", folder / "bad_utterances.jsonl"
    config, error = folder / "config.yaml", folder / FAILURE_FILE
    metrics = _read_json(folder / "metrics.json")
    hypotheses = (read_hypotheses(path) for path in sorted(folder.glob("hypotheses/*.jsonl")))
    return RunResults(
        folder=folder,
        metrics=metrics,
        training=_read_json(folder / TRAINING_FILE) or metrics.get("training", {}),
        failure=read_failure(error.read_text(encoding="utf-8")) if error.is_file() else ("", ""),
        curves=read_curves(curves) if curves.is_file() else {},
        hypotheses={items[0].set_name: items for items in hypotheses if items},
        trial_lists=[t for path in sorted(folder.glob("scores/*.txt")) if (t := read_scores(path))],
        code_uses=[read_code_use(path) for path in sorted(folder.glob("codes/*.json"))],
        masked=[read_masked(path) for path in sorted(folder.glob("masked/*.npz"))[:1]],
        bad_utterances=read_json_lines(bad_utterances) if bad_utterances.is_file() else [],
        config=config.read_text(encoding="utf-8") if config.is_file() else "",
        environment=_read_json(folder / "environment.json"),
    )


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as fault:
        raise ValueError(f"{path} must be a JSON object: {fault}") from fault
    if not isinstance(content, dict):
        raise ValueError(f"{path} must be a JSON object, got {type(content).__name__}")
    return content
