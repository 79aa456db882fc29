"""Batches for pre-training: what is hidden in them, what is dropped, what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from duovox.batch import SslBatch
from duovox.data.dataset.index import Index
from duovox.data.frames import WAV2VEC2
from duovox.data.plan.batching import Batching
from duovox.data.source.selection import Limits
from duovox.data.source.ssl import SslSource
from duovox.data.stage.chunk import ChunkRule
from duovox.data.stage.masking import Masking
from duovox.data.wave.preparation import Preparation

MASKING = Masking(probability=0.65, length=5, num_negatives=7)


def training(index: Index, **settings) -> SslSource:
    defaults = {
        "batching": Batching(max_padded_samples=60_000),
        "seed": 1,
        "preparation": Preparation(),
        "limits": Limits(),
        "masking": MASKING,
    }
    return SslSource.for_training(index, **(defaults | settings))


def evaluation(index: Index, **settings) -> SslSource:
    defaults = {"batching": Batching(max_padded_samples=60_000), "seed": 1, "masking": MASKING}
    return SslSource.for_evaluation(index, **(defaults | settings))


def one_epoch(source: SslSource, epoch: int = 0) -> list[SslBatch]:
    return [source.batch(epoch, number) for number in range(source.num_batches)]


def start_of(wave: torch.Tensor, *, within: torch.Tensor) -> int:
    """Return where a wave begins inside a longer one."""
    places = (within == wave[0]).nonzero()[:, 0].tolist()
    (start,) = (at for at in places if torch.equal(within[at : at + len(wave)], wave))
    return start


@pytest.fixture
def short_and_long(tmp_path, entry, write_shards) -> Index:
    """Return the index of utterances of 399, 2,000 and 16,000 samples: 0, 5 and 49 frames."""
    waves = [np.sin(np.arange(length)).astype(np.float32) for length in (399, 2000, 16_000)]
    entries = [entry(f"a/s/{n}", wave) for n, wave in enumerate(waves)]
    return write_shards(tmp_path / "mixed", entries)


def test_padding_is_never_masked_and_negatives_stay_in_their_utterance(index) -> None:
    for batch in one_epoch(training(index)):
        num_frames = WAV2VEC2.count(batch.num_samples.numpy())
        assert batch.mask.shape == (len(batch), num_frames.max())
        for row, length in zip(batch.mask, num_frames.tolist(), strict=True):
            assert not row[length:].any()
        drawn = torch.split(batch.negatives, list(batch.num_masked))
        for negatives, num_masked in zip(drawn, batch.num_masked, strict=True):
            assert negatives.shape == (num_masked, 7)
            assert 0 <= negatives.min() <= negatives.max() < num_masked
            assert (negatives != torch.arange(num_masked)[:, None]).all()


def test_a_batch_is_the_same_whoever_asks_and_another_in_the_next_epoch(index) -> None:
    first, source = one_epoch(training(index)), training(index)
    backwards = [source.batch(0, number) for number in reversed(range(len(first)))]
    for one, other in zip(first, reversed(backwards), strict=True):
        assert one.keys == other.keys
        assert torch.equal(one.mask, other.mask)
        assert torch.equal(one.negatives, other.negatives)
    masks = [
        {key: row for batch in epoch for key, row in zip(batch.keys, batch.mask, strict=True)}
        for epoch in (first, one_epoch(training(index), 1), one_epoch(training(index, seed=2)))
    ]
    for other in masks[1:]:
        assert any(not torch.equal(row, other[key][: len(row)]) for key, row in masks[0].items())


def test_a_long_utterance_is_cropped_at_a_place_of_its_own(index) -> None:
    cut = Preparation(chunk=ChunkRule(num_samples=8000), normalize="none")
    batches = one_epoch(training(index, preparation=cut))
    assert {int(length) for batch in batches for length in batch.num_samples} == {8000}
    whole = {
        key: wave
        for batch in one_epoch(training(index, preparation=Preparation(normalize="none")))
        for key, wave in zip(batch.keys, batch.waves, strict=True)
    }
    starts = [
        start_of(wave, within=whole[key])
        for batch in batches[:2]
        for key, wave in zip(batch.keys, batch.waves, strict=True)
    ]
    assert len(set(starts)) > 1


def test_what_is_too_short_to_be_masked_is_dropped_by_name(short_and_long) -> None:
    source = training(short_and_long)
    assert source.dropped == {
        "shorter than 400 samples": ["a/s/0"],
        "shorter than 11 frames": ["a/s/1"],
    }
    (batch,) = one_epoch(source)
    assert batch.keys == ("a/s/2",)  # a batch of one


def test_an_evaluation_refuses_what_is_too_short(short_and_long) -> None:
    with pytest.raises(ValueError, match=r"(?s)2 of 3 utterances cannot .*a/s/0: .*a/s/1: short"):
        evaluation(short_and_long)


def test_an_evaluation_hides_the_same_frames_in_every_pass(index) -> None:
    source = evaluation(index)
    for one, other in zip(one_epoch(source), one_epoch(source), strict=True):
        assert torch.equal(one.mask, other.mask)
        assert torch.equal(one.negatives, other.negatives)
    keys = [key for batch in one_epoch(source) for key in batch.keys]
    assert sorted(keys) == sorted(index.key)


def test_training_stops_where_nothing_can_be_masked(index) -> None:
    everything = Masking(probability=1.0, length=1, convention="huggingface")
    message = r"(?s)unmaskable: (\d+) of its \1 frames are masked.*in a row.*percentage_masked"
    with pytest.raises(ValueError, match=message):
        training(index, masking=everything).batch(0, 0)


@pytest.fixture
def brief(tmp_path, entry, write_shards) -> Index:
    """Return the index of 30 utterances of four frames."""
    waves = np.random.default_rng(0).uniform(-0.5, 0.5, (30, 1360)).astype(np.float32)
    entries = [entry(f"a/s/{n:02d}", wave) for n, wave in enumerate(waves)]
    return write_shards(tmp_path / "brief", entries)


ONE_OR_TWO = Masking(  # of four frames; one is too few
    probability=0.35, length=1, convention="huggingface", min_spans=0, num_negatives=7
)


def test_an_utterance_that_a_draw_hides_too_little_of_is_left_out_by_name(brief) -> None:
    (batch,) = one_epoch(training(brief, masking=ONE_OR_TWO))
    causes = {bad.cause for bad in batch.bad_utterances}
    assert causes == {"unmaskable"}
    left_out = {bad.key for bad in batch.bad_utterances}
    assert sorted([*batch.keys, *left_out]) == sorted(brief.key)
    assert 3 < len(left_out) < 27
    assert all(bad.shard.endswith(".tar") for bad in batch.bad_utterances)


def test_a_batch_of_which_nothing_is_masked_gives_way_to_the_next(brief) -> None:
    alone = Batching(batch_size=1)
    batches = one_epoch(training(brief, masking=ONE_OR_TWO, batching=alone))
    assert len(batches) == len(brief)
    assert all(sum(batch.num_masked) >= 2 for batch in batches)
    assert any(len(batch.bad_utterances) > 1 for batch in batches)
    assert {len(batch) for batch in batches} == {1}


def test_an_evaluation_leaves_nothing_out_but_stops(brief) -> None:
    with pytest.raises(ValueError, match=r"a/s/\d\d: unmaskable: 1 of its 4 frames"):
        one_epoch(evaluation(brief, masking=ONE_OR_TWO))


def test_cropping_below_two_spans_leaves_nothing(index) -> None:
    cut = Preparation(chunk=ChunkRule(num_samples=1000))
    with pytest.raises(ValueError, match=r"none of 40 .*shorter than 11 frames: 40"):
        training(index, preparation=cut)


def test_an_utterance_that_is_not_finite_is_left_out_by_name(tmp_path, entry, write_shards) -> None:
    waves = [np.sin(np.arange(16_000, dtype=np.float32)) for _ in range(3)]
    waves[1][500] = np.nan
    entries = [
        entry(f"a/s/{n}", wave, audio_format="wav", subtype="FLOAT") for n, wave in enumerate(waves)
    ]
    (batch,) = one_epoch(training(write_shards(tmp_path / "nan", entries)))
    assert sorted(batch.keys) == ["a/s/0", "a/s/2"]
    assert [bad.key for bad in batch.bad_utterances] == ["a/s/1"]
    assert len(batch.num_masked) == 2
