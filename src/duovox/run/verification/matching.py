"""Find what a trial list asks for: its utterances among embeddings, its trials among scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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

    Raises:
        ValueError: entries without an embedding (all counted, the first ten listed), or an entry
            that fits several.
    """
    found = find((*trials.enroll, *trials.test), embeddings.keys)
    if missing := [entry for entry, rows in found.items() if not rows]:
        raise ValueError(
            f"{len(missing)} of {len(found)} utterances of the trial list {trials.name} have no "
            f"embedding:{listing(missing)}"
        )
    for entry, rows in found.items():
        if len(rows) > 1:
            keys = ", ".join(embeddings.keys[row] for row in rows[:3])
            raise ValueError(f"trial entry {entry!r} fits {len(rows)} embeddings ({keys})")
    enroll, test = ([found[e][0] for e in side] for side in (trials.enroll, trials.test))
    return np.array(enroll, np.int64), np.array(test, np.int64)


def find(entries: Iterable[str], names: Iterable[str]) -> dict[str, list[int]]:
    """Return the places of the names that each entry means.

    That is the name it is, or else those whose paths end so; file extensions don't count, and `-`
    may stand for `/`.
    """
    entries = dict.fromkeys(entries)
    wanted = {spelling for entry in entries for spelling in spellings(entry)}
    whole: dict[str, list[int]] = {}
    ending: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        for spelling in {*spellings(name)} & wanted:
            whole.setdefault(spelling, []).append(place)
        for spelling in {*endings(name)} & wanted:
            ending.setdefault(spelling, []).append(place)
    return {entry: _fitting(entry, whole) or _fitting(entry, ending) for entry in entries}


def label(scores: ScoreList, trials: TrialList) -> ScoreList:
    """Return the scores of the trials in a list, in its order and with its labels.

    Raises:
        ValueError: trials without a score (all counted, the first ten listed), or one with two.
    """
    places: dict[Key, int] = {}
    for key, place in scores.by_key().items():
        other = places.setdefault(spelled(key), place)
        if scores.scores[place] != scores.scores[other]:
            raise ValueError(
                f"{scores.name} has two scores for the trial {' '.join(key)}, of files that differ "
                "in their extensions alone: keep one of them"
            )
    keys = list(zip(trials.enroll, trials.test, strict=True))
    found = [places.get(spelled(key), -1) for key in keys]
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
        ValueError: a system has other trials than the first, or labels than another.
    """
    first, *others = systems
    if not others:
        return first.scores[:, None]
    wanted = list(first.by_key())
    columns, labelled = [], None
    for system in systems:
        places = system.by_key()
        if different := sorted(set(wanted) ^ places.keys()):
            raise ValueError(
                f"{first.name} and {system.name} have not scored the same trials; "
                f"{len(different)} are in one alone:{listing([' '.join(key) for key in different])}"
            )
        rows = [places[key] for key in first.keys or ()]
        columns.append(system.scores[rows])
        if system.is_target is None:
            continue
        labels = system.is_target[rows]
        name, known = labelled = labelled or (system.name, labels)
        if (clash := np.flatnonzero(labels != known)).size:
            raise ValueError(
                f"{name} and {system.name} call {len(clash)} trials by different labels, "
                f"such as {' '.join((first.keys or ())[clash[0]])}"
            )
    return np.stack(columns, axis=1)


def endings(name: str) -> Iterator[str]:
    """Yield all that a path may be called by someone who stands in one of its folders."""
    rest = spellings(name)[0]
    while rest:
        rest = rest.partition("/")[2]
        yield from spellings(rest)


def _fitting(entry: str, places: dict[str, list[int]]) -> list[int]:
    return next((places[name] for name in spellings(entry) if name in places), [])


def spelled(key: Key) -> Key:
    """Return a trial as its utterances are called without file extensions."""
    return spellings(key[0])[0], spellings(key[1])[0]
