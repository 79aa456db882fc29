"""Trial lists: pairs of utterances, and whether one person speaks in both.

Two forms are read: VoxCeleb's `1 enroll test` (1 = same speaker) and Kaldi's `enroll test target`
(or `nontarget`). The entries are paths or keys; `resolution` finds their audio.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duovox.data.atomic import atomic_file
from duovox.data.trial.lines import LABELS, numbered_words

# The public lists are told apart by their number of trials.
_KNOWN_COUNTS = {
    37_720: "VoxCeleb1-O, original",
    37_611: "VoxCeleb1-O, cleaned",
    581_480: "VoxCeleb1-E, original",
    579_818: "VoxCeleb1-E, cleaned",
    552_536: "VoxCeleb1-H, original",
    550_894: "VoxCeleb1-H, cleaned",
}
_CLEANED = {  # file and number of trials
    "VoxCeleb1-O": ("veri_test2.txt", 37_611),
    "VoxCeleb1-E": ("list_test_all2.txt", 579_818),
    "VoxCeleb1-H": ("list_test_hard2.txt", 550_894),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialList:
    """N trials in the order of their file."""

    name: str
    enroll: tuple[str, ...]
    test: tuple[str, ...]
    is_target: NDArray[np.bool_]  # (N,) True: the same speaker

    def __post_init__(self) -> None:
        if not len(self.enroll) == len(self.test) == len(self.is_target):
            raise ValueError("enroll, test and is_target must be equally long")

    def __len__(self) -> int:
        return len(self.enroll)

    @property
    def num_targets(self) -> int:
        """Number of same-speaker trials."""
        return int(self.is_target.sum())

    @property
    def known_as(self) -> str | None:
        """Name of the public list with as many trials of VoxCeleb's speakers, if there is one."""
        is_voxceleb = len(self) > 0 and self.enroll[0].startswith("id1")
        return _KNOWN_COUNTS.get(len(self)) if is_voxceleb else None

    @property
    def is_cleaned(self) -> bool:
        """Whether this is a public list in its cleaned form, as papers report it."""
        return (self.known_as or "").endswith(", cleaned")

    @property
    def caution(self) -> str:
        """What has to be said of a public list in its original form; nothing of other lists."""
        if self.known_as is None or self.is_cleaned:
            return ""
        file, number = _CLEANED[self.known_as.partition(",")[0]]
        return (
            f"trial list {self.name} is {self.known_as}, {len(self)} trials; papers report the "
            f"cleaned one, {file} with {number}"
        )

    @property
    def official_name(self) -> str | None:
        """Name of the public list in the tables of official counts: `voxceleb1-o-cleaned`."""
        if self.known_as is None:
            return None
        short = self.known_as.partition(",")[0].lower()
        return f"{short}-cleaned" if self.is_cleaned else short


def read_trials(path: Path) -> TrialList:
    """Read a trial list in VoxCeleb's or Kaldi's form.

    Raises:
        ValueError: no such file, no text, a line of another form (named by its number), or only one
            class.
    """
    numbered = numbered_words(path, what="trial list", of="trials")
    parse = _form(numbered[0][1], path)
    trials = []
    for number, words in numbered:
        if len(words) != 3 or parse(words)[2] not in LABELS:
            raise ValueError(f"{path}, line {number}: {' '.join(words)!r} does not fit; {_FORMS}")
        trials.append(parse(words))
    enroll, test, labels = zip(*trials, strict=True)
    is_target = np.array([LABELS[label] for label in labels])
    if is_target.all() or not is_target.any():
        kind = "target" if is_target.all() else "non-target"
        raise ValueError(f"{path} holds {kind} trials alone; without both there is no error rate")
    return TrialList(name=path.stem, enroll=enroll, test=test, is_target=is_target)


def write_trials(trials: TrialList, path: Path) -> None:
    """Write a list in VoxCeleb's form."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        for enroll, test, is_target in zip(
            trials.enroll, trials.test, trials.is_target, strict=True
        ):
            file.write(f"{int(is_target)} {enroll} {test}\n".encode())


_FORMS = "each line must read `1 enroll test` (VoxCeleb) or `enroll test target` (Kaldi)"


def _form(words: list[str], path: Path) -> Callable[[list[str]], tuple[str, str, str]]:
    """Choose the reading of the whole file from its first line."""
    if len(words) == 3 and words[0] in {"0", "1"}:
        return lambda words: (words[1], words[2], words[0])
    if len(words) == 3 and words[2] in LABELS:
        return lambda words: (words[0], words[1], words[2])
    raise ValueError(f"{path}, line 1: {' '.join(words)!r} does not fit; {_FORMS}")
