"""Check that a trial list can be scored honestly on a data set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from duovox.data.dataset.index import Index
from duovox.data.listing import listing
from duovox.data.trial.list import TrialList
from duovox.data.trial.resolution import ResolvedTrials, resolve


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
    check_unseen_speakers(resolved, index, training_speakers)
    rows = np.union1d(resolved.enroll_rows, resolved.test_rows)
    return TrialReport(
        num_targets=trials.num_targets,
        num_nontargets=len(trials) - trials.num_targets,
        num_speakers=len(speakers),
        num_utterances=len(rows),
        warnings=tuple(_warnings(trials)),
    )


def check_unseen_speakers(
    trials: ResolvedTrials, index: Index, training_speakers: Iterable[str]
) -> None:
    """Refuse trials between speakers who were trained on: their error rate would be too good.

    Args:
        training_speakers: Speaker ids; empty ones mean unknown and are ignored.

    Raises:
        ValueError: there are such speakers; the message lists them.
    """
    rows = np.union1d(trials.enroll_rows, trials.test_rows)
    seen = sorted(set(index.speaker_id.take(rows)) & set(training_speakers) - {""})
    if seen:
        raise ValueError(
            f"{len(seen)} speakers of trial list {trials.name} are also in training, so its error "
            f"rate would be too good; take them out of one of the two:{listing(seen)}"
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
    warnings = [trials.caution] if trials.caution else []
    pairs = {frozenset(pair) for pair in zip(trials.enroll, trials.test, strict=True)}
    if len(pairs) < len(trials):
        warnings.append(f"{len(trials) - len(pairs)} trials are repetitions of others")
    same = sum(enroll == test for enroll, test in zip(trials.enroll, trials.test, strict=True))
    if same:
        warnings.append(f"{same} trials compare an utterance with itself")
    return warnings
