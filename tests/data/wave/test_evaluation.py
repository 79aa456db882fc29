"""Evaluation batches: everything exactly once, and faults are errors."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.audio.normalize import normalize
from duovox.data.plan.batching import Batching
from duovox.data.wave.evaluation import EvaluationWaves
from duovox.data.wave.reader import WaveReader


@pytest.mark.parametrize(
    "batching",
    [Batching(batch_size=1), Batching(batch_size=7), Batching(max_padded_samples=60_000)],
)
def test_every_utterance_comes_once_and_whole(index, batching) -> None:
    waves = EvaluationWaves(index, batching=batching)
    batches = [waves.batch(0, number) for number in range(waves.num_batches)]
    rows = np.concatenate([batch.rows for batch in batches])
    lengths = [len(wave) for batch in batches for wave in batch.waves]
    assert sorted(rows.tolist()) == list(range(len(index)))
    assert lengths == index.num_samples[rows].tolist()


def test_only_the_first_chunk_is_used_where_that_is_asked(index) -> None:
    waves = EvaluationWaves(index, batching=Batching(batch_size=4), chunk_samples=5000)
    batch = waves.batch(0, 2)
    reader = WaveReader(index, refuse_silence=False)
    for row, wave in zip(batch.rows.tolist(), batch.waves, strict=True):
        np.testing.assert_array_equal(wave, normalize(reader.read(row, num_samples=5000)))


def test_a_bad_utterance_is_an_error_with_shard_and_key(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/good"), entry("a/b/bad", sample_rate=8000)])
    waves = EvaluationWaves(index, batching=Batching(batch_size=2))
    with pytest.raises(ValueError, match=r"shard-000000.tar: a/b/bad: wrong sample rate"):
        waves.batch(0, 0)


def test_silence_is_evaluated_like_everything_else(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/c", np.zeros(8000, np.float32))])
    wave = EvaluationWaves(index, batching=Batching(batch_size=2)).batch(0, 0).waves[0]
    np.testing.assert_array_equal(wave, np.zeros(8000))
