"""Speech batches: what is in them, what is dropped, what is refused."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
import torch

from duovox.data.dataset.index import Index
from duovox.data.plan.batching import Batching
from duovox.data.source.selection import Limits
from duovox.data.source.speech import SpeechSource
from duovox.data.tokenizer import Tokenizer
from duovox.data.wave.preparation import Preparation

TOKENIZER = Tokenizer(("<pad>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ"))


def speech(index: Index, **settings) -> SpeechSource:
    defaults = {
        "batching": Batching(max_padded_samples=60_000),
        "seed": 1,
        "preparation": Preparation(),
        "limits": Limits(),
    }
    return SpeechSource.for_training(index, TOKENIZER, **(defaults | settings))


def evaluation(index: Index, warning: str) -> SpeechSource:
    with pytest.warns(UserWarning, match=warning):
        return SpeechSource.for_evaluation(
            index, TOKENIZER, batching=Batching(batch_size=3), unknown_characters="drop"
        )


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


def test_few_large_tensors_make_a_batch(index) -> None:
    batch = speech(index).batch(0, 0)
    values = [getattr(batch, field.name) for field in fields(batch)]
    assert sum(isinstance(value, torch.Tensor) for value in values) == 4


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


def test_a_key_of_two_data_sets_is_refused(tmp_path, write_shards, entry) -> None:
    for name in ("one", "two"):
        write_shards(tmp_path / name, [entry("a/b/c")])
    with pytest.raises(ValueError, match=r"1 keys come more than once.*\n  a/b/c"):
        speech(Index.load([tmp_path / "one", tmp_path / "two"]))


def test_an_evaluation_keeps_what_training_would_drop(tmp_path, write_shards, entry) -> None:
    odd = [
        entry("a/b/silent", np.zeros(8000, np.float32)),
        entry("a/b/empty", transcript=""),
        entry("a/b/digits", transcript="A 10"),
        entry("a/b/crowded", transcript="FAR TOO MUCH TEXT FOR HALF A SECOND"),
    ]
    source = evaluation(write_shards(tmp_path, odd), r"1 of 4 reference .*'A 10'.*\['0', '1'\]")
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


def test_references_in_the_other_case_are_warned_of(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/c", transcript="six"), entry("a/b/d")])
    evaluation(index, r"1 of 2 reference .*'six'.* vocabulary, which is in upper case")


def test_an_evaluation_without_a_reference_word_is_refused(tmp_path, write_shards, entry) -> None:
    index = write_shards(tmp_path, [entry("a/b/c", transcript=" ")])
    with pytest.raises(ValueError, match="none of the 1 utterances has a transcript"):
        SpeechSource.for_evaluation(index, TOKENIZER, batching=Batching(batch_size=1))
