"""Batches are planned without audio: what must hold for every plan."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duovox.data.plan.batching import Batching
from duovox.data.plan.epoch import num_batches_per_epoch, plan, plan_once

BY_LENGTH = Batching(max_padded_samples=3_200_000)
BY_COUNT = Batching(batch_size=66, order="random")


def librispeech_lengths(num_utterances: int) -> np.ndarray:
    """Lengths in samples like those of LibriSpeech: most 12 to 16 s, a tail of short ones."""
    generator = np.random.default_rng(7)
    long = generator.normal(14.3, 1.3, num_utterances)
    seconds = np.where(
        generator.random(num_utterances) < 0.7, long, generator.uniform(1.3, 15, num_utterances)
    )
    return (np.clip(seconds, 1.3, 29.7) * 16_000).astype(np.int64)


@pytest.fixture(scope="module")
def lengths() -> np.ndarray:
    return librispeech_lengths(25_000)


@pytest.fixture(scope="module")
def shards() -> np.ndarray:
    return np.arange(25_000) // 1000


@given(
    lengths=st.lists(st.integers(400, 5000), min_size=1, max_size=80),
    shard_size=st.integers(1, 30),
    block_size=st.integers(1, 100),
    max_padded_samples=st.integers(5000, 50_000),
    seed=st.integers(0, 5),
)
@settings(max_examples=80, deadline=None)
def test_every_utterance_comes_once_and_no_batch_exceeds_its_budget(
    lengths: list[int], shard_size: int, block_size: int, max_padded_samples: int, seed: int
) -> None:
    num_samples = np.array(lengths)
    batching = Batching(max_padded_samples=max_padded_samples, block_size=block_size)
    planned = plan(
        num_samples, np.arange(len(lengths)) // shard_size, batching=batching, seed=seed, epoch=1
    )
    batches = [planned.batch(number) for number in range(len(planned))]
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for rows in batches:
        assert len(rows) * num_samples[rows].max() <= max_padded_samples


@given(
    num_utterances=st.integers(1, 100),
    batch_size=st.integers(1, 20),
    block_size=st.integers(1, 50),
    order=st.sampled_from(["length", "random"]),
)
@settings(max_examples=60, deadline=None)
def test_batches_of_a_fixed_count_are_full_except_one(
    num_utterances: int, batch_size: int, block_size: int, order: str
) -> None:
    batching = Batching(batch_size=batch_size, block_size=block_size, order=order)
    num_samples = np.arange(1, num_utterances + 1) * 400
    shards = np.arange(num_utterances) // 7
    planned = plan(num_samples, shards, batching=batching, seed=1, epoch=0)
    assert sorted(planned.rows.tolist()) == list(range(num_utterances))
    assert np.count_nonzero(planned.sizes != batch_size) <= 1
    assert planned.sizes.max() <= batch_size


def test_padding_is_below_one_percent_on_librispeech_like_lengths(lengths, shards) -> None:
    planned = plan(lengths, shards, batching=BY_LENGTH, seed=1, epoch=0)
    assert planned.padding(lengths) < 0.006


def test_padding_is_the_share_of_zeros_in_the_padded_batches(lengths, shards) -> None:
    planned = plan(lengths, shards, batching=BY_LENGTH, seed=1, epoch=0)
    real = padded = 0
    for number in range(len(planned)):
        rows = planned.batch(number)
        real += lengths[rows].sum()
        padded += len(rows) * lengths[rows].max()
    assert planned.padding(lengths) == pytest.approx(1 - real / padded, rel=1e-12)


def test_the_same_seed_and_epoch_give_the_same_batches(lengths, shards) -> None:
    first = plan(lengths, shards, batching=BY_LENGTH, seed=3, epoch=2)
    again = plan(lengths, shards, batching=BY_LENGTH, seed=3, epoch=2)
    np.testing.assert_array_equal(first.rows, again.rows)
    np.testing.assert_array_equal(first.sizes, again.sizes)


@pytest.mark.parametrize("other", [{"seed": 4, "epoch": 2}, {"seed": 3, "epoch": 3}])
def test_another_seed_or_epoch_gives_other_batches(lengths, shards, other) -> None:
    first = plan(lengths, shards, batching=BY_LENGTH, seed=3, epoch=2)
    second = plan(lengths, shards, batching=BY_LENGTH, **other)
    theirs = {frozenset(second.batch(number).tolist()) for number in range(len(second))}
    shared = sum(frozenset(first.batch(n).tolist()) in theirs for n in range(len(first)))
    assert shared < 0.01 * len(first)


def test_batches_differ_between_epochs_even_within_a_single_block() -> None:
    lengths, shards = librispeech_lengths(2000), np.zeros(2000, dtype=np.int64)
    batches = [
        {frozenset(p.batch(number).tolist()) for number in range(len(p))}
        for p in (plan(lengths, shards, batching=BY_LENGTH, seed=1, epoch=e) for e in (0, 1))
    ]
    assert len(batches[0] & batches[1]) < 0.2 * len(batches[0])


def test_batches_come_in_shuffled_order_of_length(lengths, shards) -> None:
    planned = plan(lengths, shards, batching=BY_LENGTH, seed=1, epoch=0)
    longest = [lengths[planned.batch(number)].max() for number in range(400)]
    rises = np.count_nonzero(np.diff(longest) > 0)
    assert 0.4 < rises / 399 < 0.6


def test_a_batch_reads_from_the_few_shards_of_its_block() -> None:
    lengths, shards = librispeech_lengths(25_000), np.arange(25_000) // 500  # 50 shards
    batching = Batching(max_padded_samples=3_200_000, block_size=2500)
    planned = plan(lengths, shards, batching=batching, seed=1, epoch=0)
    assert max(len(set(shards[planned.batch(n)].tolist())) for n in range(len(planned))) <= 7


@pytest.mark.parametrize("num_utterances", [300, 25_000])
@pytest.mark.parametrize("speeds", [(1.0,), (0.9, 1.0, 1.1)])
def test_every_epoch_has_the_same_number_of_batches_and_leaves_nothing_out(
    num_utterances, speeds
) -> None:
    shards = np.arange(num_utterances) // 1000
    original = librispeech_lengths(num_utterances)

    def lengths_of(epoch: int) -> np.ndarray:
        return (original / np.random.default_rng(epoch).choice(speeds, num_utterances)).astype(int)

    number = num_batches_per_epoch(lengths_of, shards, batching=BY_LENGTH, seed=1)
    for epoch in (0, 1, 2, *range(100, 110)):
        lengths = lengths_of(epoch)
        planned = plan(lengths, shards, batching=BY_LENGTH, seed=1, epoch=epoch, num_batches=number)
        assert len(planned) == number
        assert sorted(planned.rows.tolist()) == list(range(len(lengths)))


def test_a_small_data_set_fills_its_batches() -> None:
    lengths, shards = np.full(30, 1000), np.zeros(30, dtype=np.int64)
    batching = Batching(max_padded_samples=10_050)
    number = num_batches_per_epoch(lambda _: lengths, shards, batching=batching, seed=1)
    assert number == 3


@pytest.mark.parametrize("length_jitter", [0.005, 0.3, 1.0])
def test_batches_are_full_however_much_the_lengths_are_mixed(
    lengths, shards, length_jitter
) -> None:
    batching = Batching(max_padded_samples=1_600_000, length_jitter=length_jitter)
    planned = plan(lengths, shards, batching=batching, seed=1, epoch=0)
    padded = [len(rows) * lengths[rows].max() for rows in map(planned.batch, range(len(planned)))]
    assert max(padded) <= 1_600_000
    assert np.mean(padded) > 0.9 * 1_600_000


def test_batches_beyond_the_wanted_number_are_left_out() -> None:
    lengths, shards = np.full(10, 1000), np.zeros(10, dtype=np.int64)
    planned = plan(lengths, shards, batching=Batching(batch_size=3), seed=0, epoch=0, num_batches=2)
    assert len(planned) == 2
    assert len(set(planned.rows.tolist())) == len(planned.rows) == planned.sizes.sum() < 10


def test_more_batches_than_utterances_give_batches_of_one() -> None:
    lengths, shards = np.full(5, 1000), np.zeros(5, dtype=np.int64)
    planned = plan(lengths, shards, batching=Batching(batch_size=5), seed=0, epoch=0, num_batches=9)
    assert planned.sizes.tolist() == [1] * 5


def test_random_order_mixes_all_lengths_and_keeps_blocks_together() -> None:
    lengths, shards = np.arange(1, 10_001), np.arange(10_000) // 100
    batching = Batching(batch_size=50, order="random", block_size=1000)
    planned = plan(lengths, shards, batching=batching, seed=1, epoch=0)
    means = [lengths[planned.batch(number)].mean() for number in range(len(planned))]
    assert np.std(means) < 1500  # 50 random lengths out of 10 shards; sorted ones: 2900
    assert max(len(set(shards[planned.batch(n)].tolist())) for n in range(len(planned))) <= 11


def test_a_million_utterances_have_a_plan_whose_rows_are_all_there() -> None:
    lengths = librispeech_lengths(1_100_000)
    planned = plan(lengths, np.arange(1_100_000) // 5000, batching=BY_LENGTH, seed=1, epoch=0)
    assert np.array_equal(np.sort(planned.rows), np.arange(1_100_000))


@pytest.mark.parametrize("batching", [BY_LENGTH, Batching(batch_size=8)])
def test_an_evaluation_goes_from_long_to_short_through_every_utterance(lengths, batching) -> None:
    planned = plan_once(lengths, batching=batching)
    assert sorted(planned.rows.tolist()) == list(range(len(lengths)))
    assert (np.diff(lengths[planned.rows]) <= 0).all()


def test_an_evaluation_keeps_an_utterance_that_exceeds_the_budget() -> None:
    planned = plan_once(np.array([500, 9000, 600]), batching=Batching(max_padded_samples=2000))
    assert [planned.batch(number).tolist() for number in range(len(planned))] == [[1], [2, 0]]


def test_an_utterance_longer_than_the_budget_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"utterance 1 has 9000 samples.*max_padded_samples=2000"):
        plan(
            np.array([500, 9000]),
            np.zeros(2, dtype=np.int64),
            batching=Batching(max_padded_samples=2000),
            seed=0,
            epoch=0,
        )


def test_a_plan_of_nothing_is_an_error() -> None:
    nothing = np.empty(0, dtype=np.int64)
    with pytest.raises(ValueError, match="no utterance"):
        plan(nothing, nothing, batching=BY_LENGTH, seed=0, epoch=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "either max_padded_samples or batch_size"),
        ({"max_padded_samples": 1, "batch_size": 1}, "either max_padded_samples or batch_size"),
        ({"max_padded_samples": 1, "order": "random"}, "order=random needs batch_size"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"batch_size": 1, "block_size": 0}, "block_size must be at least 1"),
        ({"batch_size": 1, "length_jitter": -0.1}, "length_jitter must not be negative"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        Batching(**settings)
