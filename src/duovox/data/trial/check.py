"""Check that a trial list can be scored honestly on a data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from duovox.data.dataset.index import Index
from duovox.data.listing import listing
from duovox.data.trial.list import TrialList
from duovox.data.trial.resolution import resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialReport:
    """What a checked list holds."""

    num_targets: int
    num_nontargets: int
    num_speakers: int
    num_utterances: int
    warnings: tuple[str, ...]


def check_trials(
    trials: TrialList, index: Index, *, training_speakers: Sequence[str] = ()
) -> TrialReport:
    """Resolve a trial list and compare its labels and speakers with the data.

    Raises:
        ValueError: audio is missing, a label contradicts the speakers of its two utterances, or a
            speaker of the list is among the training speakers.
    """
    resolved = resolve(trials, index)
    codes, names = index.speaker_id.codes()
    enroll, test = codes[resolved.enroll_rows], codes[resolved.test_rows]
    unknown = names.index("") if "" in names else -1
    is_known = (enroll != unknown) & (test != unknown)
    _check_labels(trials, is_known & ((enroll == test) != trials.is_target))
    speakers = {names[code] for code in np.union1d(enroll, test) if code != unknown}
    check_disjoint_speakers(training_speakers, speakers, test_name=f"trial list {trials.name}")
    rows = np.union1d(resolved.enroll_rows, resolved.test_rows)
    return TrialReport(
        num_targets=trials.num_targets,
        num_nontargets=len(trials) - trials.num_targets,
        num_speakers=len(speakers),
        num_utterances=len(rows),
        warnings=tuple(_warnings(trials)),
    )


def check_disjoint_speakers(
    training: Iterable[str], test: Iterable[str], *, test_name: str
) -> None:
    """Raise a ValueError that lists the speakers of a test set that training also hears.

    Args:
        training: Speaker ids of training; empty ones mean unknown and are ignored.
        test: Speaker ids of the test set.
        test_name: What the message calls it.
    """
    shared = sorted((set(training) & set(test)) - {""})
    if shared:
        raise ValueError(
            f"{len(shared)} speakers of {test_name} are also in training, so its error rate would "
            f"be too good; take them out of one of the two:{listing(shared)}"
        )


def _check_labels(trials: TrialList, is_wrong: np.ndarray) -> None:
    wrong = np.flatnonzero(is_wrong)
    if len(wrong):
        first = wrong[0]
        label = "target" if trials.is_target[first] else "nontarget"
        raise ValueError(
            f"{len(wrong)} trials of {trials.name} contradict the speakers in the data set; the "
            f"first: {trials.enroll[first]} {trials.test[first]} is called {label}"
        )


def _warnings(trials: TrialList) -> list[str]:
    warnings = []
    if trials.known_as and "not cleaned" in trials.known_as:
        warnings.append(f"this list is {trials.known_as}; papers report the cleaned one")
    pairs = {frozenset(pair) for pair in zip(trials.enroll, trials.test, strict=True)}
    if len(pairs) < len(trials):
        warnings.append(f"{len(trials) - len(pairs)} trials are repetitions of others")
    same = sum(enroll == test for enroll, test in zip(trials.enroll, trials.test, strict=True))
    if same:
        warnings.append(f"{same} trials compare an utterance with itself")
    return warnings
