"""A small finished run folder with everything in it, and its parts."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

METRICS: dict[str, Any] = {
    "validation": {
        "digits": {"wer": 0.0671, "wer_interval": [0.05, 0.09], "num_utterances": 120},
        "commands": {"eer": 0.0912, "num_trials": 900},
    },
    "test": {
        "digits": {
            "wer": 0.08316,
            "wer_interval": [0.0702, 0.0971],
            "cer": 0.0425,
            "substitutions": 90,
            "deletions": 32,
            "insertions": 33,
            "num_words": 1864,
            "num_utterances": 300,
        },
        "commands": {
            "eer": 0.07494,
            "eer_interval": [0.0619, 0.0889],
            "eer_threshold": 0.388,
            "min_dcf_p01": 0.6231,
            "min_dcf_p05": 0.4117,
            "num_trials": 3870,
            "num_targets": 1935,
            "num_speakers": 80,
        },
    },
    "training": {"seconds": 872.4, "steps": 400, "audio_hours": 3.14},
}


def write_json_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def write_curves(path: Path, *, num_steps: int = 400) -> None:
    names = ["step", "train_loss", "train_speech_loss", "train_speaker_loss", "learning_rate"]
    names += ["train_speech_loss_weight", "train_speaker_loss_weight", "gradient_norm"]
    names += ["val_wer", "val_wer_digits", "val_eer", "val_eer_commands", "val_wer_eer"]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        for step in range(10, num_steps + 1, 10):
            losses = [50 / step, 20 / step, 30 / step, 1e-4, 0.25, 0.75, 2.0]
            writer.writerow({"step": step, **dict(zip(names[1:8], losses, strict=True))})
            if step % 100 == 0:
                rates = [10 / step, 10 / step, 20 / step, 20 / step, 30 / step]
                writer.writerow({"step": step, **dict(zip(names[8:], rates, strict=True))})


def write_hypotheses(path: Path) -> None:
    rng = np.random.default_rng(1)
    records = []
    for i in range(100):
        words = [f"W{n}" for n in rng.integers(0, 9, size=1 + i % 10)]
        heard = ["XX", *words[1:]] if i % 7 == 0 else words
        records.append(
            {
                "key": f"s{i % 4}/a/{i:03d}",
                "reference": " ".join(words),
                "hypothesis": " ".join(heard),
                "wer": (i % 7 == 0) / len(words),
                "num_samples": 8000 * len(words),
            }
        )
    write_json_lines(path, records)


def write_scores(path: Path) -> None:
    rng = np.random.default_rng(2)
    lines = []
    for i, noise in enumerate(rng.normal(scale=0.2, size=200)):
        is_target = i % 2 == 0
        label = "target" if is_target else "nontarget"
        lines.append(f"s{i}/a/0 s{i + 1}/b/1 {0.6 * is_target + noise:.6f} {label}\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines))


@pytest.fixture(scope="session")
def metrics() -> dict[str, Any]:
    """Return what metrics.json holds."""
    return METRICS


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished multi-task run; read it, write no more than its report."""
    folder = tmp_path_factory.mktemp("logs") / "project" / "experiment" / "5f1c"
    folder.mkdir(parents=True)
    write_curves(folder / "metrics.csv")
    (folder / "metrics.json").write_text(json.dumps(METRICS))
    write_hypotheses(folder / "hypotheses" / "digits.jsonl")
    write_scores(folder / "scores" / "commands.txt")
    (folder / "config.yaml").write_text("trainer:\n  max_steps: 400\n")
    environment = {"started": "2025-11-21T10:37:05+00:00", "packages": {"torch": "2.11.0"}}
    (folder / "environment.json").write_text(json.dumps(environment))
    bad = {"key": "s1/a/9", "shard": "a.tar", "cause": "silence", "detail": "all 0", "step": 3}
    write_json_lines(folder / "bad_utterances.jsonl", [bad, {**bad, "step": 90}])
    return folder


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Return a function that writes files, given as text by name, into a run folder."""

    def make(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make
