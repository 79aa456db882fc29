"""The paired bootstrap: what is better is found, what is the same is not."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.metric.interval import error_rate_draws
from duovox.metric.paired import Difference, paired_difference


def compare(first: np.ndarray, second: np.ndarray, num_words: np.ndarray, **options) -> Difference:
    draws = [error_rate_draws(errors, num_words, **options) for errors in (first, second)]
    return paired_difference(
        first.sum() / num_words.sum(),
        second.sum() / num_words.sum(),
        first_draws=draws[0],
        second_draws=draws[1],
    )


def test_a_system_does_not_differ_from_itself() -> None:
    errors = np.random.default_rng(0).binomial(10, 0.2, 100)
    found = compare(errors, errors, np.full(100, 10))
    assert (found.difference, found.interval.low, found.interval.high) == (0, 0, 0)
    assert (found.share_better, found.p_value) == (0.5, 1.0)
    assert not found.is_significant


def test_the_difference_is_drawn_on_the_same_utterances() -> None:
    generator = np.random.default_rng(1)
    num_words = generator.integers(1, 20, 80)
    first, second = (generator.binomial(num_words, rate) for rate in (0.3, 0.25))
    drawn = np.random.default_rng(0).integers(80, size=(500, 80))
    differences = [
        (second[rows].sum() - first[rows].sum()) / num_words[rows].sum() for rows in drawn
    ]
    found = compare(first, second, num_words, num_draws=500)
    expected = np.quantile(differences, [0.025, 0.975])
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(expected))
    assert found.share_better == pytest.approx(np.mean(np.array(differences) < 0), abs=0.01)


def test_what_is_hard_for_both_hides_no_difference() -> None:
    """One word in twenty more is right, beside noise of utterances that is ten times as large."""
    generator = np.random.default_rng(2)
    first = generator.integers(0, 20, 400)
    second = np.maximum(first - generator.binomial(1, 0.5, 400), 0)
    num_words = np.full(400, 20)
    assert compare(first, second, num_words).is_significant
    assert compare(first, second, num_words).p_value < 0.01
    assert not compare(first, generator.permutation(second), num_words).is_significant


def test_the_order_of_the_systems_only_changes_the_sign() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.binomial(10, 0.3, 90), generator.binomial(10, 0.2, 90)
    there, back = (compare(*pair, np.full(90, 10)) for pair in ((first, second), (second, first)))
    assert there.difference == -back.difference < 0
    assert there.interval.low == pytest.approx(-back.interval.high)
    assert there.share_better == pytest.approx(1 - back.share_better)
    assert there.p_value == pytest.approx(back.p_value)


def test_equal_systems_are_told_apart_about_five_times_in_a_hundred() -> None:
    generator, found = np.random.default_rng(4), 0
    for seed in range(200):
        first, second = generator.binomial(10, 0.2, (2, 100))
        found += compare(first, second, np.full(100, 10), num_draws=300, seed=seed).is_significant
    assert 2 <= found <= 22


def test_draws_without_a_rate_count_for_neither() -> None:
    first, second = np.array([0.2, np.nan, 0.4]), np.array([0.1, np.nan, 0.5])
    found = paired_difference(0.3, 0.3, first_draws=first, second_draws=second)
    assert found.share_better == 0.5
