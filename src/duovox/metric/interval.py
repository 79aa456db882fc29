"""How sure a number is: 95 % bootstrap intervals.

The test set is drawn anew with replacement, 1000 times, and the number computed for each draw; the
interval holds the middle 95 % of the results. What is drawn must be what is independent: utterances
for word errors, but *speakers* for verification, where one odd voice spoils thousands of trials.
The draws depend on the seed and the size of the set alone: those of two systems on one set are
pairs.

Source: Bisani and Ney 2004 for word errors; Poh and Bengio 2007 for users.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from duovox.metric.trial_draws import interpolated_eer, trial_draws
from duovox.metric.trial_scores import Labels, Scores

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
    """Return the equal error rate of each draw (num_draws,); see `trial_draws`."""
    return trial_draws(
        scores,
        labels,
        measures=[interpolated_eer],
        enroll_speakers=enroll_speakers,
        test_speakers=test_speakers,
        num_draws=num_draws,
        seed=seed,
    )[:, 0]


def middle(values: NDArray[Any]) -> Interval:
    """Return the ends of the middle 95 % of values (N,)."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Interval(low=float(low), high=float(high))
