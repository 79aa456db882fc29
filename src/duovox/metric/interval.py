"""How sure a number is: 95 % bootstrap intervals.

The test set is drawn anew with replacement, 1000 times, and the number computed for each draw; the
interval holds the middle 95 % of the results. What is drawn must be what is independent: utterances
for word errors, but *speakers* for verification, where one odd voice spoils thousands of trials.
The draws depend on the seed and the size of the set alone: those of two systems on one set are
pairs.

Source: Bisani and Ney 2004 for word errors; Poh and Bengio 2007 for users.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from duovox.metric.eer import crossing
from duovox.metric.error_curve import ascending, tie_starts
from duovox.metric.trial_scores import Labels, Scores, checked

CONFIDENCE = 0.95
_VALUES_PER_BLOCK = 1_000_000  # random numbers held at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The ends of a 95 % interval."""

    low: float
    high: float


def error_rate_interval(
    errors: ArrayLike, num_units: ArrayLike, *, num_draws: int = 1000, seed: int = 0
) -> Interval:
    """Return the interval of a corpus' word (or character) error rate, over its utterances.

    Args:
        errors: (N,) edits of each utterance.
        num_units: (N,) reference words (or characters) of each utterance.
    """
    return middle(error_rate_draws(errors, num_units, num_draws=num_draws, seed=seed))


def error_rate_draws(
    errors: ArrayLike, num_units: ArrayLike, *, num_draws: int = 1000, seed: int = 0
) -> NDArray[np.float64]:
    """Return the error rate of each draw (num_draws,); arguments as `error_rate_interval`."""
    edits, units = np.asarray(errors, np.int64), np.asarray(num_units, np.int64)
    generator = np.random.default_rng(seed)
    block = max(1, _VALUES_PER_BLOCK // len(edits))
    rates = []
    for start in range(0, num_draws, block):
        shape = (min(block, num_draws - start), len(edits))
        drawn = generator.integers(len(edits), size=shape)  # (draws, N) utterances
        rates.append(edits[drawn].sum(axis=1) / np.maximum(units[drawn].sum(axis=1), 1))
    return np.concatenate(rates)


def equal_error_rate_interval(
    scores: Scores,
    labels: Labels,
    *,
    enroll_speakers: Sequence[str],
    test_speakers: Sequence[str],
    num_draws: int = 1000,
    seed: int = 0,
) -> Interval:
    """Return the interval of the (interpolated) equal error rate, over the test set's speakers.

    Args:
        scores: (N,) higher = more alike.
        labels: (N,) 1 = same speaker, 0 = different speakers.
        enroll_speakers: speaker of each trial's first utterance.
        test_speakers: speaker of each trial's second utterance.
    """
    rates = equal_error_rate_draws(
        scores,
        labels,
        enroll_speakers=enroll_speakers,
        test_speakers=test_speakers,
        num_draws=num_draws,
        seed=seed,
    )
    return middle(rates[~np.isnan(rates)])


def equal_error_rate_draws(
    scores: Scores,
    labels: Labels,
    *,
    enroll_speakers: Sequence[str],
    test_speakers: Sequence[str],
    num_draws: int = 1000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return the equal error rate of each draw (num_draws,); arguments as above.

    A trial counts as often as its two speakers were drawn: the product of both counts, or the count
    itself when it compares a speaker with themselves. Draws without targets or without non-targets
    have no equal error rate: NaN.

    Raises:
        ValueError: no draw has one.
    """
    values, is_target = checked(scores, labels)
    ordered, order = ascending(values)
    starts, is_target = tie_starts(ordered), is_target[order]
    enroll, test, num_speakers = _speaker_numbers(enroll_speakers, test_speakers, order)
    is_same = enroll == test
    rates = []
    for counts in _speaker_counts(num_speakers, num_draws, seed):
        weights = counts[enroll] * np.where(is_same, 1, counts[test])
        rates.append(_weighted_eer(weights, is_target, starts))
    if np.isnan(rates).all():
        raise ValueError(
            f"no draw of the {num_speakers} speakers has both target and non-target trials: "
            "an interval over speakers needs more of them"
        )
    return np.array(rates)


def _speaker_numbers(
    enroll: Sequence[str], test: Sequence[str], order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Return both sides' speakers as numbers, in the order of the scores, and their count."""
    if len(enroll) != len(order) or len(test) != len(order):
        raise ValueError(
            f"every trial needs two speakers: got {len(order)} scores, {len(enroll)} enroll and "
            f"{len(test)} test speakers"
        )
    names, numbers = np.unique(np.concatenate([enroll, test]), return_inverse=True)
    return numbers[: len(order)][order], numbers[len(order) :][order], len(names)


def _speaker_counts(num_speakers: int, num_draws: int, seed: int) -> Iterator[NDArray[Any]]:
    """Yield how often each speaker is drawn, (num_speakers,) per draw."""
    generator = np.random.default_rng(seed)
    shares = np.full(num_speakers, 1 / num_speakers)
    for _ in range(num_draws):
        yield generator.multinomial(num_speakers, shares)


def _weighted_eer(
    weights: NDArray[Any], is_target: NDArray[np.bool_], starts: NDArray[np.int64]
) -> float:
    """Return the interpolated EER of sorted trials that count `weights` times (N,) each, or NaN."""
    targets = np.concatenate([[0], np.cumsum(weights * is_target)])
    everyone = np.concatenate([[0], np.cumsum(weights)])
    num_targets, num_nontargets = int(targets[-1]), int(everyone[-1] - targets[-1])
    if num_targets == 0 or num_nontargets == 0:
        return math.nan
    misses = targets[starts] / num_targets  # (P,)
    alarms = 1 - (everyone - targets)[starts] / num_nontargets
    after = int(np.argmax(misses >= alarms))
    around = [after - 1, after]
    return crossing(misses[around], alarms[around])[0]


def middle(values: NDArray[Any]) -> Interval:
    """Return the ends of the middle 95 % of values (N,)."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(low=float(low), high=float(high))
