"""Points of training curves written to metrics.csv: 200,000 of them, as `+experiment=hf_base` logs.

Peer: the plain way, which keeps all rows in memory and writes the whole file at every point. It is
timed for a few points after the last, as all of them would take days.

Run: .venv/bin/python benchmarks/bench_metrics_csv.py
"""

from __future__ import annotations

import csv
import tempfile
import time
from pathlib import Path

import numpy as np

from duovox.run.log import CsvLogger
from side_by_side import print_versions

NUM_POINTS, NUM_EDGE, NUM_OLD_POINTS, VAL_INTERVAL = 200_000, 1_000, 3, 10_000
NAMES = (
    *("train_loss", "train_ssl_loss", "train_ssl_loss_weight", "gradient_norm"),
    *("train_contrastive", "train_diversity", "train_feature_penalty", "train_accuracy"),
    *("share_masked", "gumbel_temperature", "learning_rate", "audio_hours"),
    *(f"train_{of}_perplexity_{number}" for of in ("code", "prob") for number in (1, 2)),
    *(f"codebook_similarity_{of}_{g}" for of in ("avg", "min", "max", "std") for g in (1, 2)),
)
VALIDATION = ("val_loss", "val_contrastive", "val_diversity", "val_accuracy")


class WholeFile:
    """The plain way."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open(newline="") as file:
            self.rows = {int(row["step"]): dict(row) for row in csv.DictReader(file)}

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        row = self.rows.setdefault(step, {"step": str(step)})
        row.update({name: f"{value:.8g}" for name, value in metrics.items()})
        columns = dict.fromkeys(name for row in self.rows.values() for name in row)
        draft = self.path.with_suffix(".csv.tmp")
        with draft.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(columns))
            writer.writeheader()
            writer.writerows(self.rows[step] for step in sorted(self.rows))
        draft.replace(self.path)


def our_seconds(path: Path, points: np.ndarray) -> np.ndarray:
    """Return how long each point (N,) took, its validation included."""
    logger = CsvLogger(path)
    seconds = np.empty(NUM_POINTS)
    for step, values in enumerate(points[:NUM_POINTS].tolist(), start=1):
        metrics = dict(zip(NAMES, values, strict=True))
        start = time.perf_counter()
        logger.log_metrics(metrics, step)
        if step % VAL_INTERVAL == 0:
            logger.log_metrics(dict.fromkeys(VALIDATION, 0.123456789), step)
            logger.log_metrics({"memory_gb": 4.2}, step)
        seconds[step - 1] = time.perf_counter() - start
    return seconds


def their_seconds(path: Path, points: np.ndarray) -> np.ndarray:
    """Return how long each of a few points after the last takes, of which the files agree."""
    logger, ours = WholeFile(path), CsvLogger(path.with_name("ours.csv"))
    (path.with_name("ours.csv")).write_bytes(path.read_bytes())
    seconds = np.empty(NUM_OLD_POINTS)
    for number, values in enumerate(points[NUM_POINTS:].tolist()):
        metrics, step = dict(zip(NAMES, values, strict=True)), NUM_POINTS + 1 + number
        start = time.perf_counter()
        logger.log_metrics(metrics, step)
        seconds[number] = time.perf_counter() - start
        ours.log_metrics(metrics, step)
    assert path.read_bytes() == path.with_name("ours.csv").read_bytes()
    return seconds


def main() -> None:
    print_versions("numpy")
    points = np.random.default_rng(0).normal(size=(NUM_POINTS + NUM_OLD_POINTS, len(NAMES)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.csv"
        ours = 1e3 * our_seconds(path, points)
        size = path.stat().st_size / 1e6
        theirs = 1e3 * their_seconds(path, points)
    first, last = ours[:NUM_EDGE], ours[-NUM_EDGE:]
    print(f"{NUM_POINTS:,} points of {len(NAMES)} numbers, {size:.0f} MB; milliseconds a point")
    print(f"ours: mean {ours.mean():.3f} (bar: <= 0.2), median {np.median(ours):.3f}")
    print(f"ours, first {NUM_EDGE:,}: median {np.median(first):.3f}, largest {first.max():.2f}")
    print(f"ours, last {NUM_EDGE:,}: median {np.median(last):.3f}, largest {last.max():.2f}")
    print(f"the whole file at every point, after {NUM_POINTS:,}: {np.median(theirs):,.0f}")
    print(f"ratio: {np.median(theirs) / np.median(last):,.0f}x")


if __name__ == "__main__":
    main()
