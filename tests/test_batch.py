"""What the records that cross rooms check, and how they move."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from duovox.batch import JointBatch, MultiTaskBatch, SpeakerBatch, SpeechBatch, SslBatch


@pytest.fixture
def batch() -> SslBatch:
    """Two utterances of 3 and 2 frames, of which 2 each are masked."""
    return SslBatch(
        keys=("a/1/1", "b/1/1"),
        waves=torch.zeros(2, 1040),
        num_samples=torch.tensor([1040, 720]),
        mask=torch.tensor([[True, False, True], [True, True, False]]),
        num_masked=(2, 2),
        negatives=torch.tensor([[1], [0], [1], [0]], dtype=torch.int32),
    )


def test_a_pretraining_batch_moves_as_a_whole(batch: SslBatch) -> None:
    moved = batch.to("meta")
    tensors = (moved.waves, moved.num_samples, moved.mask, moved.negatives)
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert moved.keys == batch.keys
    assert moved.num_masked == (2, 2)
    assert len(moved) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"waves": torch.zeros(3, 1040)}, "waves must be 2-dimensional with 2 rows"),
        ({"num_samples": torch.zeros(1)}, "num_samples must be 1-dimensional with 2 rows"),
        ({"mask": torch.zeros(2, dtype=torch.bool)}, "mask must be 2-dimensional with 2 rows"),
        ({"num_masked": (4,)}, "num_masked must have B=2 entries, got 1"),
        ({"negatives": torch.zeros(3, 1)}, "negatives must be 2-dimensional with 4 rows"),
        ({"num_masked": (1, 3)}, r"\[2, 2\], got \(1, 3\)"),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(
    batch: SslBatch, change: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        replace(batch, **change)


@pytest.fixture
def speech() -> SpeechBatch:
    return SpeechBatch(
        keys=("a/1/1", "b/1/1"),
        waves=torch.zeros(2, 800),
        num_samples=torch.tensor([800, 400]),
        tokens=torch.ones(2, 1, dtype=torch.int64),
        num_tokens=torch.ones(2, dtype=torch.int64),
        transcripts=("A", "A"),
    )


def test_a_joint_batch_gives_both_tasks_the_same_waves(speech: SpeechBatch) -> None:
    batch = JointBatch(speech=speech, speaker_ids=torch.tensor([4, 7]))
    speaker = batch.by_task["speaker"]
    assert isinstance(speaker, SpeakerBatch)
    assert batch.by_task["speech"] is speech
    assert speaker.waves is speech.waves
    assert speaker.num_samples is speech.num_samples
    assert (speaker.keys, speaker.speaker_ids.tolist()) == (speech.keys, [4, 7])
    assert batch.to("meta").by_task["speaker"].waves.device.type == "meta"


def test_every_utterance_is_counted_once(speech: SpeechBatch) -> None:
    joint = JointBatch(speech=speech, speaker_ids=torch.tensor([4, 7]))
    speaker = joint.by_task["speaker"]
    assert isinstance(speaker, SpeakerBatch)
    disjoint = MultiTaskBatch(speech=speech, speaker=speaker)
    sizes = [sum(len(part) for part in batch.parts) for batch in (speech, joint, disjoint)]
    assert sizes == [len(batch) for batch in (speech, joint, disjoint)] == [2, 2, 4]


def test_a_joint_batch_names_a_speaker_for_every_utterance(speech: SpeechBatch) -> None:
    with pytest.raises(ValueError, match="speaker_ids must be 1-dimensional with 2 rows"):
        JointBatch(speech=speech, speaker_ids=torch.tensor([4]))
