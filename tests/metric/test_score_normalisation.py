"""Adaptive s-norm against a loop over trials."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from duovox.metric.score_normalisation import (
    SMALLEST_STD,
    cohort_statistics,
    largest,
    normalise_scores,
    refuse_shared_speakers,
    speaker_means,
)


def unit(num_rows: int) -> torch.Tensor:
    return F.normalize(torch.randn(num_rows, 6), dim=1)


@given(
    st.integers(1, 4), st.integers(1, 30), st.integers(1, 600), st.booleans(), st.integers(0, 99)
)
def test_largest_equals_a_sort(
    num_rows: int, num_largest: int, num_columns: int, is_tied: bool, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    scores = generator.standard_normal((num_rows, num_columns)).astype(np.float32)
    scores = np.round(scores) if is_tied else scores
    num_largest = min(num_largest, num_columns)
    expected = np.sort(scores, axis=1)[:, num_columns - num_largest :]
    assert (np.sort(largest(scores, num_largest), axis=1) == expected).all()


def test_largest_finds_neighbours_that_crowd_into_one_place() -> None:
    scores = np.zeros((2, 4000), np.float32)
    scores[0, 100:400] = np.arange(1, 301)
    scores[1, ::250] = np.arange(1, 17)
    assert np.sort(largest(scores, 10)).tolist() == [
        list(range(291, 301)),
        list(range(7, 17)),
    ]


def test_normalised_scores_equal_a_loop_over_trials() -> None:
    embeddings, cohort = unit(30), unit(500)
    enroll, test = np.random.default_rng(0).integers(30, size=(2, 80))
    scores = (embeddings[enroll] * embeddings[test]).sum(dim=1).numpy()
    statistics = cohort_statistics(embeddings, cohort, num_nearest=20)
    found = normalise_scores(scores, enroll_rows=enroll, test_rows=test, statistics=statistics)
    for trial, (left, right) in enumerate(zip(enroll, test, strict=True)):
        sides = []
        for row in (left, right):
            nearest = (cohort @ embeddings[row]).topk(20).values
            sides.append((scores[trial] - nearest.mean()) / nearest.std(correction=0))
        assert found[trial] == pytest.approx(float(sum(sides) / 2), rel=1e-4)


def test_utterances_of_several_blocks_are_all_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("duovox.metric.score_normalisation._SCORES_PER_BLOCK", 70 * 40)
    embeddings, cohort = unit(600), unit(40)
    statistics = cohort_statistics(embeddings, cohort, num_nearest=5)
    expected = (embeddings @ cohort.T).topk(5).values
    np.testing.assert_allclose(statistics.means, expected.mean(dim=1), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(statistics.stds, expected.std(dim=1, correction=0), rtol=1e-3)


def test_a_cohort_smaller_than_asked_for_counts_whole() -> None:
    embeddings, cohort = unit(4), unit(7)
    statistics = cohort_statistics(embeddings, cohort, num_nearest=300)
    np.testing.assert_allclose(statistics.means, (embeddings @ cohort.T).mean(dim=1), rtol=1e-4)


def test_a_cohort_of_equals_keeps_the_deviation_above_its_floor() -> None:
    statistics = cohort_statistics(unit(3), unit(1).repeat(9, 1))
    assert (statistics.stds == SMALLEST_STD).all()


@pytest.mark.parametrize(("num_strangers", "num_nearest"), [(0, 300), (1, 300), (9, 1)])
def test_a_cohort_without_a_deviation_is_refused(num_strangers: int, num_nearest: int) -> None:
    with pytest.raises(
        ValueError, match=f"two strangers at least, got a cohort of {num_strangers}"
    ):
        cohort_statistics(unit(3), unit(9)[:num_strangers], num_nearest=num_nearest)


def test_a_cohort_with_a_speaker_of_the_trials_is_refused() -> None:
    refuse_shared_speakers(["a", "b"], ["c"])
    with pytest.raises(ValueError, match=r"1 speakers are both in the cohort .* such as b"):
        refuse_shared_speakers(["a", "b"], ["b", "c", "b"])


def test_speaker_means_are_unit_length_and_in_order_of_the_ids() -> None:
    embeddings = torch.tensor([[2.0, 0.0], [0.0, 5.0], [0.0, 3.0], [3.0, 0.0]])
    means = speaker_means(embeddings, torch.tensor([7, 7, 2, 9]))
    half = 0.5**0.5
    torch.testing.assert_close(means, torch.tensor([[0.0, 1.0], [half, half], [1.0, 0.0]]))
