"""Find what a trial list asks for: its utterances among embeddings, its trials among scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from duovox.data.listing import listing
from duovox.data.trial.list import TrialList
from duovox.data.trial.resolution import spellings
from duovox.data.trial.score_list import Key, ScoreList
from duovox.run.verification.embedding_file import Embeddings


def rows_of_trials(
    trials: TrialList, embeddings: Embeddings
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the embeddings' rows of both sides of each trial, (N,) and (N,).

    An entry of the list means the embedding with its name, or else the one whose path ends so;
    file extensions don't count, and `-` may stand for `/`.

    Raises:
        ValueError: entries without an embedding (all counted, the first ten listed), or an entry
            that fits several.
    """
    entries = dict.fromkeys((*trials.enroll, *trials.test))
    wanted = {name for entry in entries for name in spellings(entry)}
    whole: dict[str, list[int]] = {}
    endings: dict[str, list[int]] = {}
    for row, key in enumerate(embeddings.keys):
        for name in {*spellings(key)} & wanted:
            whole.setdefault(name, []).append(row)
        for name in {*_endings(key)} & wanted:
            endings.setdefault(name, []).append(row)
    found = {entry: _fitting(entry, whole) or _fitting(entry, endings) for entry in entries}
    if missing := [entry for entry, rows in found.items() if not rows]:
        raise ValueError(
            f"{len(missing)} of {len(entries)} utterances of the trial list {trials.name} have no "
            f"embedding:{listing(missing)}"
        )
    for entry, rows in found.items():
        if len(rows) > 1:
            keys = ", ".join(embeddings.keys[row] for row in rows[:3])
            raise ValueError(f"trial entry {entry!r} fits {len(rows)} embeddings ({keys})")
    enroll, test = ([found[e][0] for e in side] for side in (trials.enroll, trials.test))
    return np.array(enroll, np.int64), np.array(test, np.int64)


def label(scores: ScoreList, trials: TrialList) -> ScoreList:
    """Return the scores of the trials in a list, in its order and with its labels.

    Raises:
        ValueError: trials without a score (all counted, the first ten listed).
    """
    places = {_spelled(key): place for key, place in scores.by_key().items()}
    keys = list(zip(trials.enroll, trials.test, strict=True))
    found = [places.get(_spelled(key), -1) for key in keys]
    if missing := [" ".join(key) for key, place in zip(keys, found, strict=True) if place < 0]:
        raise ValueError(
            f"{len(missing)} of {len(trials)} trials of {trials.name} have no score in "
            f"{scores.name}:{listing(missing)}"
        )
    return replace(
        scores, keys=tuple(keys), scores=scores.scores[found], is_target=trials.is_target
    )


def side_by_side(systems: Sequence[ScoreList]) -> NDArray[np.float64]:
    """Return (N, S) scores of S systems for the trials of the first, in its order.

    Raises:
        ValueError: a system has other trials or labels than the first.
    """
    first, *others = systems
    if not others:
        return first.scores[:, None]
    wanted = list(first.by_key())
    columns = []
    for system in systems:
        places = system.by_key()
        if different := sorted(set(wanted) ^ places.keys()):
            raise ValueError(
                f"{first.name} and {system.name} have not scored the same trials; "
                f"{len(different)} are in one alone:{listing([' '.join(key) for key in different])}"
            )
        rows = [places[key] for key in first.keys or ()]
        columns.append(system.scores[rows])
        if first.is_target is None or system.is_target is None:
            continue
        if (clash := np.flatnonzero(system.is_target[rows] != first.is_target)).size:
            raise ValueError(
                f"{first.name} and {system.name} call {len(clash)} trials by different labels, "
                f"such as {' '.join((first.keys or ())[clash[0]])}"
            )
    return np.stack(columns, axis=1)


def _endings(key: str) -> Iterator[str]:
    """Yield all that a path may be called by someone who stands in one of its folders."""
    rest = spellings(key)[0]
    while rest:
        rest = rest.partition("/")[2]
        yield from spellings(rest)


def _fitting(entry: str, places: dict[str, list[int]]) -> list[int]:
    return next((places[name] for name in spellings(entry) if name in places), [])


def _spelled(key: Key) -> Key:
    return spellings(key[0])[0], spellings(key[1])[0]
