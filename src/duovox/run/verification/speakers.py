"""Whose voices a trial list compares, read from the names of its utterances."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duovox.data.listing import listing
from duovox.data.trial.resolution import spellings
from duovox.data.trial.score_list import Key
from duovox.run.verification.matching import endings, find

_DEEPEST = 12  # folders of a path that are tried


def speakers_of(keys: Sequence[Key], is_target: NDArray[np.bool_]) -> list[Key] | None:
    """Return both speakers of each trial, or None where the names don't tell.

    A part of the names (`idXXXXX` of idXXXXX/video/00001.wav, `spk` of spk-utt) tells the speakers
    if it is the same on both sides in the target trials and in no others.
    """
    return next(
        (found for name_of in _readings() if (found := _told(keys, is_target, name_of))), None
    )


def read_utt2spk(path: Path) -> dict[str, str]:
    """Read Kaldi's utt2spk: `utterance speaker` per line.

    Raises:
        ValueError: no such file, or a line of another form.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    speakers = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split()
        if len(words) != 2:
            raise ValueError(f"{path}, line {number} must read `utterance speaker`, got {line!r}")
        speakers[words[0]] = words[1]
    return speakers


def look_up(keys: Sequence[str], utt2spk: dict[str, str]) -> list[str]:
    """Return the speaker of each utterance.

    Names fit as those of trials do (`matching.find`), and also where the utterance's path ends as
    utt2spk calls it.

    Raises:
        ValueError: utterances without a speaker (all counted, the first ten listed), or one that
            fits lines of several speakers.
    """
    found = {key: {utt2spk[key]} for key in keys if key in utt2spk}
    if others := [key for key in keys if key not in found]:
        found |= _fitting(others, utt2spk)
    if missing := sorted(key for key, told in found.items() if not told):
        raise ValueError(f"{len(missing)} utterances are not in utt2spk:{listing(missing)}")
    if unclear := sorted(key for key, told in found.items() if len(told) > 1):
        raise ValueError(
            f"{len(unclear)} utterances fit lines of several speakers in utt2spk, which must call "
            f"them by more of their paths:{listing(unclear)}"
        )
    return [next(iter(found[key])) for key in keys]


def _fitting(keys: Sequence[str], utt2spk: dict[str, str]) -> dict[str, set[str]]:
    """Return the speakers of the lines that each key fits, of the longest names that it ends in."""
    speakers = list(utt2spk.values())
    found = {
        key: {speakers[place] for place in places} for key, places in find(keys, utt2spk).items()
    }
    if longer := [key for key, told in found.items() if not told]:
        by_name: dict[str, set[str]] = {}
        for name, speaker in utt2spk.items():
            for spelling in spellings(name):
                by_name.setdefault(spelling, set()).add(speaker)
        for key in longer:
            found[key] = next((by_name[end] for end in endings(key) if end in by_name), set())
    return found


def _readings() -> Iterator[Callable[[str], str]]:
    for separator in "/-_":
        for place in range(_DEEPEST):

            def part(name: str, separator: str = separator, place: int = place) -> str:
                parts = name.split(separator, place + 1)
                return parts[place] if len(parts) > place else ""

            yield part


def _told(
    keys: Sequence[Key], is_target: NDArray[np.bool_], name_of: Callable[[str], str]
) -> list[Key] | None:
    found = []
    for (enroll, test), is_same in zip(keys, is_target, strict=True):
        speakers = name_of(enroll), name_of(test)
        if "" in speakers or (speakers[0] == speakers[1]) != is_same:
            return None
        found.append(speakers)
    return found
