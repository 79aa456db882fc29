"""Training batches: reproducible, and robust against bad utterances."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest

from duovox.data.plan.batching import Batching
from duovox.data.stage.chunk import ChunkRule
from duovox.data.stage.noise import AdditiveNoise
from duovox.data.stage.speed import SpeedPerturbation
from duovox.data.wave.batch import Waves
from duovox.data.wave.preparation import Preparation
from duovox.data.wave.training import TrainingWaves

EVERYTHING_RANDOM = Preparation(
    chunk=ChunkRule(num_samples=6000),
    speed=SpeedPerturbation((0.9, 1.0, 1.1)),
    augmentations=(AdditiveNoise(),),
)


def training(index, preparation=EVERYTHING_RANDOM, *, seed=1, **batching) -> TrainingWaves:
    batching = Batching(**(batching or {"max_padded_samples": 40_000}))
    return TrainingWaves(
        index, batching=batching, preparation=preparation, seed=seed, purpose="speech"
    )


def content(waves: Waves) -> list[bytes]:
    return [waves.rows.tobytes(), *(wave.tobytes() for wave in waves.waves)]


def test_a_batch_depends_on_nothing_but_its_epoch_and_number(index) -> None:
    one, two = training(index), training(index)
    for number in range(one.num_batches):  # two has not read the others before
        last = one.batch(3, number)
    assert content(last) == content(two.batch(3, two.num_batches - 1))


@pytest.mark.parametrize("other", [(2, 3), (1, 4)])
def test_another_seed_or_epoch_gives_another_batch(index, other) -> None:
    seed, epoch = other
    assert content(training(index).batch(3, 0)) != content(
        training(index, seed=seed).batch(epoch, 0)
    )


def test_an_utterance_is_augmented_differently_in_every_epoch(index) -> None:
    whole = replace(EVERYTHING_RANDOM, chunk=None, speed=SpeedPerturbation())
    waves = training(index, whole)
    seen = set()
    for epoch in range(3):
        for number in range(waves.num_batches):
            batch = waves.batch(epoch, number)
            seen |= {
                w.tobytes() for row, w in zip(batch.rows, batch.waves, strict=True) if row == 5
            }
    assert len(seen) == 3


def test_the_positions_of_a_batch_draw_different_numbers(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry(f"a/b/{n}") for n in range(4)])  # equal waves
    batch = training(index, replace(EVERYTHING_RANDOM, speed=SpeedPerturbation())).batch(0, 0)
    assert len({wave.tobytes() for wave in batch.waves}) == len(batch.waves) > 1


def test_two_purposes_draw_different_numbers(index) -> None:
    settings = {"batching": Batching(batch_size=4), "preparation": EVERYTHING_RANDOM, "seed": 1}
    speech, speaker = (
        TrainingWaves(index, **settings, purpose=purpose).batch(0, 0)
        for purpose in ("speech", "speaker")
    )
    assert content(speech) != content(speaker)


def test_an_epoch_goes_once_through_everything(index) -> None:
    waves = training(index)
    rows = np.concatenate([waves.batch(1, n).rows for n in range(waves.num_batches)])
    assert sorted(rows.tolist()) == list(range(len(index)))


def test_batches_keep_their_budget_at_every_speed(index) -> None:
    waves = training(index, Preparation(speed=SpeedPerturbation((0.9, 1.0, 1.1))))
    for number in range(waves.num_batches):
        batch = waves.batch(0, number)
        assert len(batch.waves) * max(map(len, batch.waves)) <= 40_000


def test_waves_travel_to_other_processes(index) -> None:
    waves = training(index)
    before = content(waves.batch(0, 1))
    assert content(pickle.loads(pickle.dumps(waves)).batch(0, 1)) == before


def test_the_plans_of_two_epochs_are_kept(index) -> None:
    waves = training(index)
    first = waves.plan(0)
    assert waves.plan(1) is waves.plan(1)
    assert waves.plan(0) is first
    waves.plan(2)
    assert waves.plan(0) is not first
    np.testing.assert_array_equal(waves.plan(0).rows, first.rows)


def with_silence(entry, silent: set[int], num_utterances: int = 8) -> list:
    silence = np.zeros(8000, np.float32)
    return [entry(f"a/b/{n}", silence if n in silent else None) for n in range(num_utterances)]


def test_a_bad_utterance_is_left_out_and_named(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, with_silence(entry, {3}))
    batch = training(index, batch_size=8).batch(0, 0)
    assert sorted(batch.rows.tolist()) == [0, 1, 2, 4, 5, 6, 7]
    assert [(bad.key, bad.cause) for bad in batch.bad_utterances] == [("a/b/3", "silence")]
    assert batch.bad_utterances[0].shard == str(index.shards[0])


def test_the_others_of_a_batch_stay_the_same_beside_a_bad_one(
    tmp_path, write_shards, entry
) -> None:
    good = write_shards(tmp_path / "good", with_silence(entry, set()))
    bad = write_shards(tmp_path / "bad", with_silence(entry, {3}))
    waves = {
        name: dict(zip(batch.rows.tolist(), map(bytes, batch.waves), strict=True))
        for name, batch in (
            ("good", training(good, batch_size=8).batch(0, 0)),
            ("bad", training(bad, batch_size=8).batch(0, 0)),
        )
    }
    del waves["good"][3]
    assert waves["bad"] == waves["good"]


def test_a_batch_with_nothing_left_is_replaced_by_the_next_good_one(
    tmp_path, write_shards, entry
) -> None:
    index = write_shards(tmp_path, with_silence(entry, {0, 1, 2, 3, 4, 5, 7}))
    waves = training(index, batch_size=1)
    for number in range(waves.num_batches):
        batch = waves.batch(0, number)
        assert [index.key[row] for row in batch.rows] == ["a/b/6"]
    assert sum(len(waves.batch(0, n).bad_utterances) for n in range(8)) == sum(range(8))


def test_training_gives_up_on_data_that_is_all_bad(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, with_silence(entry, set(range(8))))
    with pytest.raises(ValueError, match=r"10 utterances in a row cannot be used.*silence"):
        training(index, batch_size=1).batch(0, 0)


def test_utterances_beyond_the_budget_are_named_at_the_slowest_speed(index) -> None:
    longest = int(index.num_samples.max())
    training(index, Preparation(), max_padded_samples=longest)
    slow = Preparation(speed=SpeedPerturbation((0.9, 1.0)))
    with pytest.raises(ValueError, match=r"max_padded_samples=\d+.*\n  speaker\d/"):
        training(index, slow, max_padded_samples=longest)
