"""Scored trials: `enroll test score target|nontarget`, one per line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from duovox.task.evaluation import AS_NORM


@dataclass(frozen=True, kw_only=True)
class ScoredTrials:
    """The answers to one trial list."""

    name: str
    enroll_keys: tuple[str, ...]  # N
    test_keys: tuple[str, ...]  # N
    scores: NDArray[np.float64]  # (N,)
    is_target: NDArray[np.bool_]  # (N,) True = the same speaker

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def are_cosines(self) -> bool:
        """Whether the scores are the embeddings' cosines, and not what AS-norm makes of them."""
        return not self.name.endswith(AS_NORM)

    @property
    def has_both_classes(self) -> bool:
        """Whether error rates are defined: a list of targets alone has no false alarms."""
        return bool(self.is_target.any() and not self.is_target.all())


@dataclass(frozen=True, kw_only=True)
class ScoredTrial:
    """One verification question and its answer."""

    list_name: str
    enroll_key: str
    test_key: str
    score: float
    is_target: bool


def read_scores(path: Path) -> ScoredTrials:
    """Return the trials of `scores/<trials>.txt`.

    Raises:
        ValueError: a line has another form, or a score is not a finite number.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    columns = [_columns(path, number, line) for number, line in enumerate(lines, start=1)]
    enroll_keys, test_keys, scores, labels = zip(*columns, strict=True) if columns else ((),) * 4
    return ScoredTrials(
        name=path.stem,
        enroll_keys=enroll_keys,
        test_keys=test_keys,
        scores=np.array(scores, dtype=np.float64),
        is_target=np.array([label == "target" for label in labels], dtype=bool),
    )


Columns: TypeAlias = tuple[str, str, float, str]


def _columns(path: Path, number: int, line: str) -> Columns:
    try:
        enroll_key, test_key, score, label = line.split()
        value = float(score)
    except ValueError:
        value, label = float("nan"), ""
    if label not in ("target", "nontarget") or not isfinite(value):
        raise ValueError(
            f"{path}:{number} must read `enroll test score target|nontarget` with a finite score, "
            f"got {line[:120]!r}"
        )
    return enroll_key, test_key, value, label


def hardest(lists: Iterable[ScoredTrials], *, count: int, is_target: bool) -> list[ScoredTrial]:
    """Return the targets with the lowest, or non-targets with the highest scores, worst first."""
    found = []
    for trials in lists:
        rows = np.flatnonzero(trials.is_target == is_target)
        pain = trials.scores[rows] if is_target else -trials.scores[rows]  # lowest = hardest
        found += [_trial(trials, row) for row in rows[np.argsort(pain, kind="stable")[:count]]]
    return sorted(found, key=lambda trial: trial.score, reverse=not is_target)[:count]


def _trial(trials: ScoredTrials, row: int) -> ScoredTrial:
    return ScoredTrial(
        list_name=trials.name,
        enroll_key=trials.enroll_keys[row],
        test_key=trials.test_keys[row],
        score=float(trials.scores[row]),
        is_target=bool(trials.is_target[row]),
    )
