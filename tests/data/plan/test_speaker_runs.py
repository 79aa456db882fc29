"""Utterances of one speaker side by side in the batches of a plan."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.data.plan.batching import Batching
from duovox.data.plan.epoch import plan

SPEAKERS = np.random.default_rng(3).integers(0, 40, 1000)
PAIRS_OF_FOUR = Batching(batch_size=32, order="random", utterances_per_speaker=4)


def planned(*, epoch: int, batching: Batching = PAIRS_OF_FOUR):
    lengths, shards = np.full(1000, 16_000), np.arange(1000) // 100
    return plan(lengths, shards, batching=batching, seed=1, epoch=epoch, speakers=SPEAKERS)


def test_batches_hold_so_many_of_each_speaker_and_every_utterance_comes_once() -> None:
    plan_ = planned(epoch=0)
    assert sorted(plan_.rows.tolist()) == list(range(1000))
    runs = [
        SPEAKERS[plan_.batch(n)].reshape(-1, 4) for n in range(len(plan_)) if plan_.sizes[n] == 32
    ]
    is_whole = [bool((batch == batch[:, :1]).all()) for batch in runs]
    assert sum(is_whole) >= len(runs) - 3  # the last ones hold what is left of each speaker
    assert all(len(set(batch[:, 0])) > 1 for batch in runs)


def test_every_epoch_has_other_runs() -> None:
    assert not np.array_equal(planned(epoch=0).rows, planned(epoch=1).rows)
    assert np.array_equal(planned(epoch=1).rows, planned(epoch=1).rows)


def test_speakers_do_not_matter_where_one_utterance_of_each_is_asked_for() -> None:
    batching = Batching(batch_size=32, order="random")
    lengths, shards = np.full(1000, 16_000), np.arange(1000) // 100
    without = plan(lengths, shards, batching=batching, seed=1, epoch=0)
    assert np.array_equal(planned(epoch=0, batching=batching).rows, without.rows)


def test_runs_need_chunks_of_equal_length() -> None:
    with pytest.raises(ValueError, match="utterances_per_speaker needs order=random"):
        Batching(batch_size=32, utterances_per_speaker=4)
