"""Draw the speakers of a trial list anew, and measure each draw: what intervals are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from duovox.metric.eer import crossing
from duovox.metric.error_curve import ascending, tie_starts
from duovox.metric.trial_scores import Labels, Scores, checked

Measure: TypeAlias = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


def trial_draws(
    scores: Scores,
    labels: Labels,
    *,
    measures: Sequence[Measure],
    enroll_speakers: Sequence[str],
    test_speakers: Sequence[str],
    num_draws: int = 1000,
    seed: int = 0,
) -> NDArray[np.float64]:
    """Return M measures of each draw of the speakers, (num_draws, M).

    A trial counts as often as its two speakers were drawn: the product of both counts, or the count
    itself when it compares a speaker with themselves. Draws without targets or without non-targets
    have no error rates: NaN.

    Args:
        scores: (N,) higher = more alike.
        labels: (N,) 1 = same speaker, 0 = different speakers.
        measures: M functions of the miss and the false alarm rates (P,) at ascending thresholds.
        enroll_speakers: speaker of each trial's first utterance.
        test_speakers: speaker of each trial's second utterance.

    Raises:
        ValueError: no draw has error rates.
    """
    values, is_target = checked(scores, labels)
    ordered, order = ascending(values)
    starts, is_target = tie_starts(ordered), is_target[order]
    enroll, test, num_speakers = _speaker_numbers(enroll_speakers, test_speakers, order)
    is_same = enroll == test
    draws = np.full((num_draws, len(measures)), np.nan)
    for row, counts in zip(draws, _speaker_counts(num_speakers, num_draws, seed), strict=True):
        weights = counts[enroll] * np.where(is_same, 1, counts[test])
        if rates := _weighted_rates(weights, is_target, starts):
            row[:] = [measure(*rates) for measure in measures]
    if np.isnan(draws).all():
        raise ValueError(
            f"no draw of the {num_speakers} speakers has both target and non-target trials: "
            "an interval over speakers needs more of them"
        )
    return draws


def interpolated_eer(misses: NDArray[np.float64], alarms: NDArray[np.float64]) -> float:
    """Return where miss and false alarm rates (P,) at ascending thresholds cross."""
    after = int(np.argmax(misses >= alarms))
    around = [after - 1, after]
    return crossing(misses[around], alarms[around])[0]


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


def _weighted_rates(
    weights: NDArray[Any], is_target: NDArray[np.bool_], starts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the error rates (P,) of sorted trials (N,) that count `weights` times each."""
    targets = np.concatenate([[0], np.cumsum(weights * is_target)])
    everyone = np.concatenate([[0], np.cumsum(weights)])
    num_targets, num_nontargets = int(targets[-1]), int(everyone[-1] - targets[-1])
    if num_targets == 0 or num_nontargets == 0:
        return None
    return targets[starts] / num_targets, 1 - (everyone - targets)[starts] / num_nontargets
