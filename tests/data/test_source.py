"""Sources: finished batches of one task, and what they refuse."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from duovox.data.index import Index
from duovox.data.plan import Batching
from duovox.data.preparation import Preparation
from duovox.data.selection import Limits
from duovox.data.source import SpeakerSource, SpeechSource, training_speakers
from duovox.data.stage.chunk import ChunkRule
from duovox.data.stage.speed import SpeedPerturbation
from duovox.data.tokenizer import Tokenizer

TOKENIZER = Tokenizer(("<pad>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
SPEAKERS = tuple(f"speaker{n}" for n in range(4))


def speech(index: Index, **settings) -> SpeechSource:
    defaults = {
        "batching": Batching(max_padded_samples=60_000),
        "seed": 1,
        "preparation": Preparation(),
        "limits": Limits(),
    }
    return SpeechSource.for_training(index, TOKENIZER, **(defaults | settings))


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


def test_a_speech_batch_holds_padded_waves_and_their_tokens(index) -> None:
    source = speech(index)
    assert source.num_utterances == 40
    for batch in pass_through(source):
        assert batch.waves.dtype == torch.float32
        assert batch.waves.is_contiguous()
        assert batch.waves.shape[1] == batch.num_samples.max()
        assert {batch.num_samples.dtype, batch.tokens.dtype, batch.num_tokens.dtype} == {
            torch.int64
        }
        assert batch.transcripts == ("ZERO",) * len(batch)
        assert batch.tokens.tolist() == [TOKENIZER.encode("ZERO")] * len(batch)
        for wave, length in zip(batch.waves, batch.num_samples, strict=True):
            assert (wave[length:] == 0).all()
            assert wave[:length].std() == pytest.approx(1, abs=1e-3)


def test_each_key_comes_with_its_own_length(index) -> None:
    lengths = dict(zip(index.key, index.num_samples.tolist(), strict=True))
    for batch in pass_through(speech(index)):
        assert [lengths[key] for key in batch.keys] == batch.num_samples.tolist()


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


def test_few_large_tensors_make_a_batch(index) -> None:
    for batch, number in ((speech(index).batch(0, 0), 4), (speaker(index).batch(0, 0), 3)):
        values = [getattr(batch, field.name) for field in fields(batch)]
        assert sum(isinstance(value, torch.Tensor) for value in values) == number


def test_what_the_index_shows_to_be_unusable_is_dropped_by_cause(
    tmp_path, write_shards, entry
) -> None:
    index = write_shards(
        tmp_path,
        [
            entry("a/b/good"),
            entry("a/b/short", np.ones(399, np.float32)),
            entry("a/b/long", np.ones(32_000, np.float32)),
            entry("a/b/empty", transcript=""),
            entry("a/b/digits", transcript="10"),
            entry("a/b/crowded", transcript="FAR TOO MUCH TEXT FOR HALF A SECOND"),
        ],
    )
    source = speech(index, limits=Limits(max_seconds=1.5), unknown_characters="drop")
    assert source.num_utterances == 1
    assert source.dropped == {
        "shorter than 400 samples": ["a/b/short"],
        "longer than 1.5 s": ["a/b/long"],
        "unknown characters": ["a/b/digits"],
        "empty transcript": ["a/b/empty"],
        "transcript longer than its frames": ["a/b/crowded"],
    }
    with pytest.raises(ValueError, match="vocabulary lacks"):
        speech(index)


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


@pytest.mark.parametrize("make", [speech, speaker])
def test_a_key_of_two_data_sets_is_refused(tmp_path, write_shards, entry, make) -> None:
    for name in ("one", "two"):
        write_shards(tmp_path / name, [entry("speaker0/b/c")])
    with pytest.raises(ValueError, match=r"1 keys come more than once.*\n  speaker0/b/c"):
        make(Index.load([tmp_path / "one", tmp_path / "two"]))


def test_an_evaluation_keeps_what_training_would_drop(tmp_path, write_shards, entry) -> None:
    odd = [
        entry("a/b/silent", np.zeros(8000, np.float32)),
        entry("a/b/empty", transcript=""),
        entry("a/b/digits", transcript="A 10"),
        entry("a/b/crowded", transcript="FAR TOO MUCH TEXT FOR HALF A SECOND"),
    ]
    source = SpeechSource.for_evaluation(
        write_shards(tmp_path, odd),
        TOKENIZER,
        batching=Batching(batch_size=3),
        unknown_characters="drop",
    )
    batches = pass_through(source)
    assert sorted(key for batch in batches for key in batch.keys) == sorted(e.key for e in odd)
    texts = {
        key: text
        for batch in batches
        for key, text in zip(batch.keys, batch.transcripts, strict=True)
    }
    assert texts["a/b/digits"] == "A 10"  # the reference stays whole; only its tokens lack the 10


def test_an_evaluation_refuses_unknown_characters_unless_told(
    tmp_path, write_shards, entry
) -> None:
    index = write_shards(tmp_path, [entry("a/b/c", transcript="A 10")])
    with pytest.raises(ValueError, match="'0' in 1 of them, '1' in 1 of them"):
        SpeechSource.for_evaluation(index, TOKENIZER, batching=Batching(batch_size=1))


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
