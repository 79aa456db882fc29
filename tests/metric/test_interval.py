"""Bootstrap intervals against loops, and their coverage."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest

from duovox.metric.eer import equal_error_rate
from duovox.metric.interval import Interval, equal_error_rate_interval, error_rate_interval
from duovox.metric.min_dcf import lowest_cost, minimum_detection_cost
from duovox.metric.trial_draws import interpolated_eer, trial_draws


def make_trials(num_speakers: int, num_trials: int, seed: int) -> tuple[np.ndarray, ...]:
    """Return scores, labels and both speakers' names; some speakers are harder than others."""
    generator = np.random.default_rng(seed)
    enroll = generator.integers(num_speakers, size=num_trials)
    test = np.where(generator.random(num_trials) < 0.5, enroll, generator.permutation(enroll))
    ease = generator.normal(2, 0.7, num_speakers)
    scores = generator.standard_normal(num_trials) + np.where(enroll == test, ease[enroll], 0)
    names = np.array([f"speaker{number:03d}" for number in range(num_speakers)])
    return scores, (enroll == test).astype(int), names[enroll], names[test]


def interval_by_copying_trials(
    scores: np.ndarray,
    labels: np.ndarray,
    enroll: np.ndarray,
    test: np.ndarray,
    num_draws: int,
    read: Callable[..., float] = lambda scores, labels: equal_error_rate(scores, labels).eer,
) -> tuple[float, float]:
    """Draw speakers, write each trial down as often as it counts, and score that list."""
    speakers = np.unique([enroll, test])
    generator = np.random.default_rng(0)
    rates = []
    for _ in range(num_draws):
        counts = dict(
            zip(
                speakers,
                generator.multinomial(len(speakers), np.full(len(speakers), 1 / len(speakers))),
                strict=True,
            )
        )
        copies = [
            counts[a] if a == b else counts[a] * counts[b]
            for a, b in zip(enroll, test, strict=True)
        ]
        drawn = np.repeat(np.arange(len(scores)), copies)
        rates.append(read(scores[drawn], labels[drawn]))
    return tuple(np.quantile(rates, [0.025, 0.975]))


@pytest.mark.parametrize("decimals", [9, 0])
def test_eer_interval_equals_scoring_copied_lists(decimals: int) -> None:
    scores, labels, enroll, test = make_trials(12, 300, seed=1)
    scores = np.round(scores, decimals)
    found = equal_error_rate_interval(
        scores, labels, enroll_speakers=enroll, test_speakers=test, num_draws=40
    )
    expected = interval_by_copying_trials(scores, labels, enroll, test, num_draws=40)
    assert (found.low, found.high) == pytest.approx(expected)


def test_draws_of_a_detection_cost_equal_those_of_copied_lists() -> None:
    scores, labels, enroll, test = make_trials(12, 300, seed=1)
    draws = trial_draws(
        scores,
        labels,
        measures=[interpolated_eer, partial(lowest_cost, p_target=0.05)],
        enroll_speakers=enroll,
        test_speakers=test,
        num_draws=40,
    )
    read = partial(minimum_detection_cost, p_target=0.05)
    expected = interval_by_copying_trials(scores, labels, enroll, test, num_draws=40, read=read)
    assert tuple(np.quantile(draws[:, 1], [0.025, 0.975])) == pytest.approx(expected)


def test_eer_interval_surrounds_the_eer_and_narrows_with_more_speakers() -> None:
    widths = []
    for num_speakers in (10, 80):
        scores, labels, enroll, test = make_trials(num_speakers, 4000, seed=2)
        found = equal_error_rate_interval(
            scores, labels, enroll_speakers=enroll, test_speakers=test, num_draws=200
        )
        assert found.low < equal_error_rate(scores, labels).eer < found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 1.5


def test_intervals_repeat_with_the_seed_only() -> None:
    scores, labels, enroll, test = make_trials(12, 300, seed=1)

    def draw(seed: int) -> Interval:
        return equal_error_rate_interval(
            scores, labels, enroll_speakers=enroll, test_speakers=test, num_draws=50, seed=seed
        )

    assert draw(1) == draw(1) != draw(2)


def test_speakers_that_do_not_pair_with_the_scores_are_refused() -> None:
    with pytest.raises(ValueError, match="2 scores, 1 enroll and 2 test speakers"):
        equal_error_rate_interval(
            [0.1, 0.2], [1, 0], enroll_speakers=["a"], test_speakers=["a", "b"]
        )


def test_an_interval_over_too_few_speakers_is_refused() -> None:
    with pytest.raises(ValueError, match="needs more of them"):
        equal_error_rate_interval(
            [0.1, 0.2],
            [1, 0],
            enroll_speakers=["a", "a"],
            test_speakers=["a", "b"],
            num_draws=1,
            seed=3,
        )


def test_error_rate_interval_equals_drawing_utterances_one_by_one() -> None:
    generator = np.random.default_rng(4)
    num_words = generator.integers(1, 30, 200)
    errors = generator.binomial(num_words, 0.2)
    draws = np.random.default_rng(0).integers(200, size=(300, 200))
    rates = [sum(errors[list(d)]) / sum(num_words[list(d)]) for d in draws]
    found = error_rate_interval(errors, num_words, num_draws=300)
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(rates, [0.025, 0.975])))


def test_error_rate_interval_is_drawn_in_blocks_for_a_large_corpus() -> None:
    num_words = np.full(400_000, 10)
    errors = np.random.default_rng(1).binomial(num_words, 0.1)
    found = error_rate_interval(errors, num_words, num_draws=20)
    assert found.low <= errors.sum() / num_words.sum() <= found.high
    assert found.high - found.low < 1e-3


def test_the_95_percent_interval_holds_the_truth_about_95_times_in_100() -> None:
    generator = np.random.default_rng(6)
    hits = 0
    for seed in range(200):
        errors = generator.binomial(10, 0.1, size=150)
        found = error_rate_interval(errors, np.full(150, 10), num_draws=200, seed=seed)
        hits += found.low <= 0.1 <= found.high
    assert 180 <= hits <= 199
