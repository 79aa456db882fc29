"""Which part of an utterance becomes the chunk."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from duovox.data.stage.chunk import ChunkRule, choose_chunk


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(5)


def test_random_starts_are_uniform_and_include_the_first_and_the_last(generator) -> None:
    rule = ChunkRule(num_samples=96, start="random")
    starts = Counter(choose_chunk(100, rule, generator)[0] for _ in range(5000))
    assert sorted(starts) == [0, 1, 2, 3, 4]
    assert chisquare(list(starts.values())).pvalue > 1e-3


@pytest.mark.parametrize("start", ["first", "random"])
def test_an_utterance_as_long_as_the_chunk_is_used_whole(generator, start) -> None:
    assert choose_chunk(48_000, ChunkRule(num_samples=48_000, start=start), generator) == (
        0,
        48_000,
    )


@pytest.mark.parametrize("start", ["first", "random"])
def test_a_shorter_utterance_is_used_whole(generator, start) -> None:
    assert choose_chunk(9000, ChunkRule(num_samples=48_000, start=start), generator) == (0, 9000)


def test_the_first_chunk_starts_at_the_beginning(generator) -> None:
    rule = ChunkRule(num_samples=400, start="first")
    assert {choose_chunk(9000, rule, generator) for _ in range(20)} == {(0, 400)}


def test_the_same_generator_gives_the_same_chunk() -> None:
    rule = ChunkRule(num_samples=400)
    one, two = (choose_chunk(10**6, rule, np.random.default_rng(9)) for _ in range(2))
    assert one == two


def test_an_empty_chunk_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 sample, got 0"):
        ChunkRule(num_samples=0)
