"""What a run is exported to reads real speech in transformers as the run itself does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import soundfile
import torch

import duovox
from duovox.decoding import greedy
from duovox.run.convert import convert


@pytest.fixture
def waves(speech_data: Path) -> list[torch.Tensor]:
    """Return real words of different lengths (S,)."""
    paths = sorted((speech_data / "digits" / "audio").rglob("*.flac"))[::500]
    return [torch.from_numpy(soundfile.read(path, dtype="float32")[0]) for path in paths]


@torch.inference_mode()
def test_logits_and_text_of_real_words_are_the_same(finished_run, waves, tmp_path) -> None:
    from transformers import Wav2Vec2ForCTC, Wav2Vec2Processor

    convert(finished_run, tmp_path / "hf", to="huggingface")
    processor = Wav2Vec2Processor.from_pretrained(tmp_path / "hf")
    theirs = Wav2Vec2ForCTC.from_pretrained(tmp_path / "hf").eval()
    ours, texts = duovox.load(finished_run), []
    assert ours.card.normalizes["speech"] == processor.feature_extractor.do_normalize
    for wave in waves:
        inputs = processor(wave.numpy(), sampling_rate=16_000, return_tensors="pt")
        expected = theirs(**inputs).logits
        output = ours.network(inputs.input_values, torch.tensor([len(wave)]), task="speech")
        torch.testing.assert_close(output.token_logits, expected, atol=1e-4, rtol=1e-4)
        found = greedy.decode(output.token_logits, output.num_frames, ours.card.vocabulary)
        written = processor.batch_decode(expected.argmax(-1))  # special symbols too
        assert found == [re.sub(r"<\w+>|</s>", "", text).strip() for text in written]
        texts += found
    assert len(set(texts)) > 1  # or it would say little
