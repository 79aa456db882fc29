"""Negatives: even among the other masked frames of the same utterance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from duovox.data.stage.negatives import draw_negatives


@given(num_masked=st.integers(2, 50), num_negatives=st.integers(1, 60), seed=st.integers(0, 99))
def test_negatives_are_other_masked_frames_of_the_utterance(
    num_masked: int, num_negatives: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    negatives = draw_negatives(num_masked, num_negatives, generator=generator)
    assert negatives.shape == (num_masked, num_negatives)
    assert negatives.min() >= 0
    assert negatives.max() < num_masked
    assert (negatives != np.arange(num_masked)[:, None]).all()


def test_each_other_frame_is_drawn_equally_often() -> None:
    negatives = draw_negatives(12, 20_000, generator=np.random.default_rng(0))
    for itself, row in enumerate(negatives):
        counts = np.bincount(row, minlength=12)
        assert chisquare(np.delete(counts, itself)).pvalue > 1e-3


def test_rows_are_drawn_apart_from_each_other() -> None:
    negatives = draw_negatives(400, 100, generator=np.random.default_rng(0))
    assert len(np.unique(negatives, axis=0)) == 400


def test_the_longest_utterances_have_negatives_to_their_end() -> None:
    num_masked = (1 << 15) + 50  # more than 16 bits count
    negatives = draw_negatives(num_masked, 4, generator=np.random.default_rng(0))
    assert negatives.min() == 0
    assert negatives.max() > (1 << 15)
    assert (negatives != np.arange(num_masked)[:, None]).all()


def test_the_generator_decides_the_negatives() -> None:
    first, again, other = (
        draw_negatives(30, 10, generator=np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("num_masked", [0, 1])
def test_an_utterance_without_two_masked_frames_has_no_negatives(num_masked: int) -> None:
    message = f"at least 2 masked frames to have negatives, got {num_masked}: leave it out"
    with pytest.raises(ValueError, match=message):
        draw_negatives(num_masked, 100, generator=np.random.default_rng(0))


def test_no_negatives_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, got 0"):
        draw_negatives(10, 0, generator=np.random.default_rng(0))
