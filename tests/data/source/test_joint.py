"""Joint batches: the words and the speakers of the same utterances."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from duovox.data.dataset.index import Index
from duovox.data.loader import training_loader
from duovox.data.plan.batching import Batching
from duovox.data.source.joint import JointSource
from duovox.data.source.selection import Limits
from duovox.data.source.speaker import training_speakers
from duovox.data.source.speech import SpeechSource
from duovox.data.stage.speed import SpeedPerturbation
from duovox.data.tokenizer import Tokenizer
from duovox.data.wave.preparation import Preparation

TOKENIZER = Tokenizer(("<pad>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def speech(index: Index, **settings) -> SpeechSource:
    defaults = {
        "batching": Batching(max_padded_samples=60_000),
        "seed": 1,
        "preparation": Preparation(),
        "limits": Limits(),
        "needs_speaker": True,
    }
    return SpeechSource.for_training(index, TOKENIZER, **(defaults | settings))


def test_a_joint_batch_is_a_speech_batch_with_its_speakers(index) -> None:
    alone, speakers = speech(index), training_speakers(index)
    joint = JointSource(alone, speakers)
    assert (joint.num_batches, joint.num_utterances, joint.num_classes) == (
        alone.num_batches,
        40,
        4,
    )
    for number in range(joint.num_batches):
        batch, expected = joint.batch(0, number), alone.batch(0, number)
        assert batch.speech.keys == expected.keys
        assert torch.equal(batch.speech.waves, expected.waves)
        assert batch.speech.transcripts == expected.transcripts
        names = [key.split("/")[0] for key in batch.speech.keys]
        assert [speakers[number] for number in batch.speaker_ids.tolist()] == names


def test_at_another_speed_a_speaker_may_be_someone_else(index) -> None:
    speeds = SpeedPerturbation((0.9, 1.0))  # 1.0 is the first voice, whatever their order
    lengths = dict(zip(index.key, index.num_samples.tolist(), strict=True))
    source = speech(index, preparation=Preparation(speed=speeds))
    joint = JointSource(source, training_speakers(index), num_voices=2)
    assert joint.num_classes == 8
    voices = set()
    for number in range(joint.num_batches):
        batch = joint.batch(0, number)
        rows = zip(
            batch.speech.keys,
            batch.speech.num_samples.tolist(),
            batch.speaker_ids.tolist(),
            strict=True,
        )
        for key, num_samples, speaker_id in rows:
            assert (speaker_id >= 4) == (num_samples > lengths[key])
            assert speaker_id % 4 == int(key[len("speaker")])
            voices.add(speaker_id // 4)
    assert voices == {0, 1}


def test_what_has_no_speaker_is_left_out_by_name(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/1"), entry("_/b/2"), entry("a/b/3", transcript="")])
    source = JointSource(speech(index), training_speakers(index))
    assert source.dropped == {"no speaker": ["_/b/2"], "empty transcript": ["a/b/3"]}
    assert source.batch(0, 0).speech.keys == ("a/b/1",)


def test_a_speaker_without_a_class_is_refused(index) -> None:
    with pytest.raises(ValueError, match=r"1 speakers are no training speakers:\s*speaker3"):
        JointSource(speech(index), ("speaker0", "speaker1", "speaker2"))


def test_a_bad_utterance_takes_its_labels_along(tmp_path, write_shards, entry) -> None:
    silent = np.zeros(8000, np.float32)
    damaged = write_shards(tmp_path, [entry("a/b/1"), entry("b/b/2", silent), entry("c/b/3")])
    source = speech(damaged, batching=Batching(max_padded_samples=10**6))
    batch = JointSource(source, ("a", "b", "c")).batch(0, 0)
    assert [bad.key for bad in batch.speech.bad_utterances] == ["b/b/2"]
    assert dict(zip(batch.speech.keys, batch.speaker_ids.tolist(), strict=True)) == {
        "a/b/1": 0,
        "c/b/3": 2,
    }


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_a_stream_of_joint_batches_goes_on_where_it_stopped(index) -> None:
    sources = {"joint": JointSource(speech(index), training_speakers(index))}
    whole = iter(training_loader(sources, num_workers=0))
    expected = [next(whole) for _ in range(6)][4:]
    rest = iter(training_loader(sources, start_batch=4, num_workers=2))
    for batch in expected:
        found = next(rest)
        assert found.speech.keys == batch.speech.keys
        assert torch.equal(found.speaker_ids, batch.speaker_ids)
