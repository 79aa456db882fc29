"""Find the audio that a trial list means: tolerant in the spelling, strict about what is missing.

An entry means the utterance with that key, with its escapes or without, or with that source path;
the extension may differ or be left out, and `-` may stand for `/` (some lists join video and file
that way). When neither fits, the last three parts of the source path decide: a list of
`id/video/file` finds `wav/id/video/file`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from duovox.data.dataset.index import Index
from duovox.data.listing import listing
from duovox.data.trial.list import TrialList
from duovox.data.utterance import original_name

_EXTENSIONS = {"wav", "flac", "m4a", "mp3", "ogg", "opus", "aac", "sph"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTrials:
    """N trials as rows of an index."""

    name: str
    enroll_rows: NDArray[np.int64]  # (N,)
    test_rows: NDArray[np.int64]  # (N,)
    is_target: NDArray[np.bool_]  # (N,)


def resolve(trials: TrialList, index: Index) -> ResolvedTrials:
    """Return the index rows of all trials.

    Raises:
        ValueError: entries without audio, all of them counted and the first ten listed, or an entry
            that fits several utterances.
    """
    entries = dict.fromkeys((*trials.enroll, *trials.test))
    places = _places(index, {spelling for entry in entries for spelling in spellings(entry)})
    found = {entry: _rows(entry, places) for entry in entries}
    missing = [entry for entry, rows in found.items() if not rows]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(entries)} entries of the trial list {trials.name} have no "
            f"audio in the data set, neither by key nor by source path:{listing(missing)}"
        )
    rows = {entry: _one_row(entry, rows, index) for entry, rows in found.items()}
    return ResolvedTrials(
        name=trials.name,
        enroll_rows=np.array([rows[entry] for entry in trials.enroll], dtype=np.int64),
        test_rows=np.array([rows[entry] for entry in trials.test], dtype=np.int64),
        is_target=trials.is_target,
    )


def _places(index: Index, wanted: set[str]) -> dict[str, list[int]]:
    """Return the rows that each wanted name fits best."""
    found: dict[str, tuple[int, list[int]]] = {}
    for row, names in enumerate(_names(index)):
        for rank, name in enumerate(names):
            if name not in wanted:
                continue
            best, rows = found.get(name, (rank, []))
            if rank < best:
                found[name] = (rank, [row])
            elif rank == best:
                found[name] = (rank, rows if row in rows else [*rows, row])
    return {name: rows for name, (_, rows) in found.items()}


def _rows(entry: str, places: dict[str, list[int]]) -> list[int]:
    return next((places[name] for name in spellings(entry) if name in places), [])


def _names(index: Index) -> Iterator[Iterable[str]]:
    """Yield the names of each row, the surest first."""
    for key, source in zip(index.key, index.source, strict=True):
        tail = "/".join(source.split("/")[-3:])
        original = original_name(key)
        yield *spellings(key), *spellings(original), *spellings(source), spellings(tail)[1]


def spellings(name: str) -> tuple[str, str]:
    """Return the name without its extension, and the same with `-` for `/`."""
    stem, dot, extension = name.rpartition(".")
    if dot and extension.lower() in _EXTENSIONS:
        name = stem
    name = name.removeprefix("./")
    return name, name.replace("/", "-")


def _one_row(entry: str, rows: list[int], index: Index) -> int:
    if len(rows) > 1:
        keys = ", ".join(index.key[row] for row in rows[:3])
        raise ValueError(
            f"trial entry {entry!r} fits {len(rows)} utterances ({keys}); write their keys instead"
        )
    return rows[0]
