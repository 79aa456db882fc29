"""Real speech through the whole room: manifest, shards, index, plan, batches."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import soundfile

from duovox.audio.normalize import normalize
from duovox.data.corpus.manifest import find_utterances
from duovox.data.dataset.index import Index
from duovox.data.dataset.write import write_dataset
from duovox.data.loader import training_loader
from duovox.data.plan.batching import Batching
from duovox.data.source.selection import Limits
from duovox.data.source.speaker import SpeakerSource, training_speakers
from duovox.data.source.speech import SpeechSource
from duovox.data.stage.chunk import ChunkRule
from duovox.data.tokenizer import Tokenizer
from duovox.data.wave.preparation import Preparation

VOCABULARY = ("<pad>", "|", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@pytest.fixture(scope="module")
def utterances(speech_data):
    manifest = speech_data / "digits" / "train.csv"
    return find_utterances(manifest, data_root=speech_data / "digits")[::50]  # 48 of 6 speakers


@pytest.fixture(scope="module")
def digits(utterances, tmp_path_factory) -> Index:
    folder = tmp_path_factory.mktemp("digits")
    write_dataset(utterances, folder, name="digits")
    return Index.load([folder])


def test_an_epoch_of_both_tasks_holds_every_digit_as_it_was_spoken(utterances, digits) -> None:
    speakers = training_speakers(digits)
    settings = {"seed": 1, "limits": Limits()}
    sources = {
        "speech": SpeechSource.for_training(
            digits,
            Tokenizer(VOCABULARY),
            batching=Batching(max_padded_samples=80_000),
            preparation=Preparation(),
            **settings,
        ),
        "speaker": SpeakerSource.for_training(
            digits,
            speakers,
            batching=Batching(batch_size=8, order="random"),
            preparation=Preparation(chunk=ChunkRule(num_samples=4000)),
            **settings,
        ),
    }
    assert len(speakers) == 6
    by_key = {utterance.key: utterance for utterance in utterances}
    for batch in islice(training_loader(sources, num_workers=1), sources["speech"].num_batches):
        for key, wave, length, tokens in zip(
            batch.speech.keys,
            batch.speech.waves.numpy(),
            batch.speech.num_samples,
            batch.speech.tokens,
            strict=True,
        ):
            utterance = by_key.pop(key)
            original, _ = soundfile.read(utterance.path, dtype="float32")
            np.testing.assert_array_equal(wave[:length], normalize(original))
            text = "".join(VOCABULARY[token] for token in tokens if token)
            assert text == utterance.transcript
        for key, speaker in zip(batch.speaker.keys, batch.speaker.speaker_ids, strict=True):
            assert key.startswith(speakers[speaker])
    assert not by_key
