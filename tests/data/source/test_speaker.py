"""Speaker batches: whose voice is which class, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from duovox.data.dataset.index import Index
from duovox.data.plan.batching import Batching
from duovox.data.source.selection import Limits
from duovox.data.source.speaker import SpeakerSource, training_speakers
from duovox.data.stage.chunk import ChunkRule
from duovox.data.stage.speed import SpeedPerturbation
from duovox.data.wave.preparation import Preparation

SPEAKERS = tuple(f"speaker{n}" for n in range(4))


def speaker(index: Index, speakers=SPEAKERS, **settings) -> SpeakerSource:
    defaults = {
        "batching": Batching(batch_size=8, order="random"),
        "seed": 1,
        "preparation": Preparation(chunk=ChunkRule(num_samples=6000)),
        "limits": Limits(),
    }
    return SpeakerSource.for_training(index, speakers, **(defaults | settings))


def pass_through(source) -> list:
    return [source.batch(0, number) for number in range(source.num_batches)]


def test_a_speaker_batch_holds_chunks_and_their_speakers(index) -> None:
    source = speaker(index)
    assert source.num_classes == 4
    seen = []
    for batch in pass_through(source):
        assert batch.waves.shape == (8, 6000)
        assert [f"speaker{n}" for n in batch.speaker_ids] == [
            key.split("/")[0] for key in batch.keys
        ]
        seen += batch.keys
    assert sorted(seen) == sorted(index.key)


def test_utterances_without_a_speaker_are_dropped_from_speaker_training(
    tmp_path, write_shards, entry
) -> None:
    index = write_shards(tmp_path, [entry("a/b/1"), entry("_/b/2")])
    source = speaker(index, training_speakers(index))
    assert source.num_classes == 1
    assert source.dropped == {"no speaker": ["_/b/2"]}


def test_the_classes_are_the_sorted_speakers(index) -> None:
    assert training_speakers(index) == SPEAKERS


def test_a_speaker_outside_the_training_speakers_is_refused(index) -> None:
    with pytest.raises(ValueError, match=r"1 speakers are no training speakers:\n  speaker3"):
        speaker(index, SPEAKERS[:3])


def test_another_speed_can_make_another_speaker(index) -> None:
    preparation = Preparation(
        chunk=ChunkRule(num_samples=6000), speed=SpeedPerturbation((0.9, 1.0, 1.1))
    )
    source = speaker(index, preparation=preparation, speeds_are_speakers=True)
    plain = speaker(index, preparation=preparation)
    assert (source.num_classes, plain.num_classes) == (12, 4)
    shifts = set()
    for batch, same in zip(pass_through(source), pass_through(plain), strict=True):
        shift = batch.speaker_ids - same.speaker_ids
        assert (batch.waves == same.waves).all()
        shifts |= set(shift.tolist())
    assert shifts == {0, 4, 8}


def test_the_original_speed_keeps_the_plain_class(index) -> None:
    changed = speaker(
        index,
        preparation=Preparation(speed=SpeedPerturbation((0.8, 1.0)), normalize="none"),
        speeds_are_speakers=True,
    )
    lengths = dict(zip(index.key, index.num_samples.tolist(), strict=True))
    for batch in pass_through(changed):
        is_original = torch.tensor([lengths[key] for key in batch.keys]) == batch.num_samples
        assert ((batch.speaker_ids < 4) == is_original).all()


def test_speeds_that_make_speakers_need_the_original_among_them(index) -> None:
    with pytest.raises(ValueError, match=r"needs 1.0 among the speeds, got \[0.9, 1.1\]"):
        speaker(
            index,
            preparation=Preparation(speed=SpeedPerturbation((0.9, 1.1))),
            speeds_are_speakers=True,
        )


def test_an_evaluation_refuses_what_gives_no_frame(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/1"), entry("a/b/2", np.ones(399, np.float32))])
    with pytest.raises(ValueError, match=r"1 of 2.*\n  a/b/2: shorter than 400 samples"):
        SpeakerSource.for_evaluation(index, ("a",), batching=Batching(batch_size=1))


def test_speakers_that_training_has_not_heard_have_no_class(index) -> None:
    source = SpeakerSource.for_evaluation(
        index, ("speaker1", "speaker3"), batching=Batching(batch_size=8), chunk_samples=6000
    )
    classes = {"speaker0": -1, "speaker1": 0, "speaker2": -1, "speaker3": 1}
    for batch in pass_through(source):
        assert batch.waves.shape[1] == 6000
        expected = [classes[key.split("/")[0]] for key in batch.keys]
        assert batch.speaker_ids.tolist() == expected
