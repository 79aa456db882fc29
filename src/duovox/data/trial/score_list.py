"""Scored trials of any system: read in the field's four forms, written in Kaldi's."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duovox.data.atomic import write_whole
from duovox.data.trial.lines import LABELS, numbered_words

_FORMS = """
  enrol test score target|nontarget   wespeaker; more columns may follow
  enrol test 1|0 score                SpeechBrain
  enrol test score                    Kaldi
  score 1|0                           NeMo"""

Key = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class ScoreList:
    """N trials and what one system says of them."""

    name: str
    keys: tuple[Key, ...] | None  # N of enroll and test; None: the form has none
    scores: NDArray[np.float64]  # (N,) finite; higher = more alike
    is_target: NDArray[np.bool_] | None  # (N,) None: not known

    def __len__(self) -> int:
        return len(self.scores)

    def by_key(self) -> dict[Key, int]:
        """Return the place of each trial.

        Raises:
            ValueError: the trials have no keys, or one has two scores or labels.
        """
        if self.keys is None:
            raise ValueError(
                f"{self.name} names no utterances (`score 1|0`), so its trials can't be found: "
                "give scores with `enrol test` before them"
            )
        places = {key: place for place, key in enumerate(self.keys)}
        for place, key in enumerate(self.keys):
            if self.scores[place] != self.scores[places[key]]:
                raise ValueError(
                    f"{self.name} has two scores for the trial {' '.join(key)}: keep one"
                )
            if self.is_target is not None and self.is_target[place] != self.is_target[places[key]]:
                raise ValueError(
                    f"{self.name} has two labels for the trial {' '.join(key)}: keep one"
                )
        return places


@dataclass(frozen=True, kw_only=True)
class _Form:
    """Which column holds what."""

    num_columns: int
    score: int
    label: int | None
    has_keys: bool = True
    is_open: bool = False  # more columns may follow


def read_score_list(path: Path) -> ScoreList:
    """Read a score file; its first line tells the form.

    Raises:
        ValueError: no such file, no text, a line that does not fit (named by its number), or a
            trial with two different scores.
    """
    numbered = numbered_words(path, what="score file", of="scores")
    form = _form(numbered[0][1])
    keys, scores, labels = [], np.empty(len(numbered)), np.empty(len(numbered), bool)
    for row, (number, words) in enumerate(numbered):
        if form is None or (parsed := _parse(words, form)) is None:
            raise ValueError(
                f"{path}, line {number}: {' '.join(words)[:120]!r} does not fit; all lines must "
                f"have one of these forms, with a finite score:{_FORMS}"
            )
        scores[row], labels[row] = parsed
        keys.append((words[0], words[1]))
    found = ScoreList(
        name=path.stem,
        keys=tuple(keys) if form and form.has_keys else None,
        scores=scores,
        is_target=labels if form and form.label is not None else None,
    )
    if found.keys is not None:
        replace(found, name=str(path)).by_key()  # refuses a trial with two scores
    return found


def write_score_list(scores: ScoreList, path: Path) -> None:
    """Write `enrol test score target|nontarget`, or without the last where it is not known.

    Scores keep nine significant digits, all that a float32 has: likelihoods may be tiny.
    """
    keys = scores.keys
    if keys is None:
        raise ValueError(f"{scores.name} names no utterances, so {path} can't be written")
    labels = [""] * len(scores)
    if scores.is_target is not None:
        labels = [" target" if label else " nontarget" for label in scores.is_target]
    rows = zip(keys, scores.scores, labels, strict=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, "".join(f"{a} {b} {score:.9g}{label}\n" for (a, b), score, label in rows))


def _form(words: list[str]) -> _Form | None:
    if len(words) >= 4 and words[3] in ("target", "nontarget"):
        return _Form(num_columns=4, score=2, label=3, is_open=True)
    if len(words) == 4 and words[2] in ("0", "1"):
        return _Form(num_columns=4, score=3, label=2)
    if len(words) == 3:
        return _Form(num_columns=3, score=2, label=None)
    if len(words) == 2:
        return _Form(num_columns=2, score=0, label=1, has_keys=False)
    return None


def _parse(words: list[str], form: _Form) -> tuple[float, bool] | None:
    """Return score and label (False where there is none), or None where the line does not fit."""
    if len(words) < form.num_columns or (len(words) > form.num_columns and not form.is_open):
        return None
    label = False if form.label is None else LABELS.get(words[form.label])
    try:
        score = float(words[form.score])
    except ValueError:
        return None
    return (score, label) if label is not None and isfinite(score) else None
