"""Windows change nothing where a recording fits one, and little where it does not."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

import duovox
from duovox.audio.ffmpeg import program
from duovox.audio.normalize import normalize
from duovox.batch import NetworkOutput
from duovox.run.model import Model
from duovox.run.recognition import recogniser
from duovox.run.recognition.window import Windowing


@pytest.fixture(scope="module")
def model(finished_run: Path) -> Model:
    return duovox.load(finished_run)


@pytest.fixture
def recording(tmp_path: Path, speech_data: Path) -> Path:
    """Return 20 s of real words, one after the other."""
    paths = sorted((speech_data / "digits" / "audio").rglob("*.flac"))[::60]
    wave = np.concatenate([soundfile.read(path, dtype="float32")[0] for path in paths])
    soundfile.write(tmp_path / "words.flac", wave[: 20 * 16_000], 16_000)
    return tmp_path / "words.flac"


def heard(model: Model, path: Path, monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """Return all logits (T, V) that the model decodes for a file."""
    found, cut = [], recogniser.stretches

    def listen(pieces, vocabulary):
        for stretch in cut(pieces, vocabulary):
            found.append(stretch.logits)
            yield stretch

    monkeypatch.setattr(recogniser, "stretches", listen)
    model.transcribe([path])
    return torch.cat(found)


def test_what_fits_a_window_is_heard_as_by_the_network_itself(model, recording, monkeypatch):
    assert model.card.normalizes["speech"]
    wave = torch.from_numpy(normalize(soundfile.read(recording, dtype="float32")[0]))
    with torch.inference_mode():
        expected = model.network(wave[None], torch.tensor([len(wave)]), task="speech").token_logits
    assert torch.equal(heard(model, recording, monkeypatch), expected[0])
    in_windows = replace(model, windowing=Windowing(seconds=21, context_seconds=5))
    assert torch.equal(heard(in_windows, recording, monkeypatch), expected[0])


def test_windows_have_a_frame_for_each_of_the_whole_and_hear_nearly_the_same(
    model, recording, monkeypatch
) -> None:
    whole = heard(model, recording, monkeypatch)
    in_windows = replace(model, windowing=Windowing(seconds=8, context_seconds=2), batch_size=2)
    found = heard(in_windows, recording, monkeypatch)
    assert found.shape == whole.shape
    shifted = torch.roll(whole, 1, dims=0)  # were windows joined one frame off
    assert (found - whole).abs().mean() < 0.5 * (shifted - whole).abs().mean()


@pytest.mark.parametrize("suffix", ["wav", "mp3", "m4a"])
def test_times_are_counted_from_the_beginning_of_the_recording(
    model, recording, tmp_path, suffix, monkeypatch
) -> None:
    """A network that hears sound or silence alone: clicks every two seconds, in any format."""

    class Ear(torch.nn.Module):
        backbone = model.network.backbone

        def forward(self, waves, num_samples, *, task):
            counts = self.backbone.architecture.num_frames(num_samples)
            frames = waves.unfold(1, 400, 320).abs().amax(dim=-1)  # (B, T)
            is_loud = (frames > 0.2).long()
            place = torch.where(is_loud.bool(), 2, torch.where(torch.roll(is_loud, 1, 1) > 0, 1, 0))
            logits = 20.0 * torch.nn.functional.one_hot(place, 3)
            return NetworkOutput(frames=logits, num_frames=counts, token_logits=logits)

    wave = np.zeros(40 * 16_000, np.float32)
    clicks = np.arange(1, 39, 2)
    for second in clicks:
        wave[second * 16_000 : second * 16_000 + 1600] = 0.8 * np.sin(np.arange(1600) * 0.4)
    soundfile.write(tmp_path / "clicks.wav", wave, 16_000)
    path = tmp_path / f"clicks.{suffix}"
    if suffix != "wav":
        command = [program(), "-loglevel", "error", "-i", tmp_path / "clicks.wav", "-b:a", "128k"]
        subprocess.run([*map(str, command), str(path)], check=True)
    ear = replace(
        model,
        network=Ear(),
        card=replace(model.card, vocabulary=["<pad>", "|", "X"], decoder=None),
        windowing=Windowing(seconds=7, context_seconds=1),
    )
    (words,) = ear.words([path])
    assert [word.word for word in words] == ["X"] * len(clicks)
    np.testing.assert_allclose([word.start_seconds for word in words], clicks, atol=0.1)
    np.testing.assert_allclose([word.stop_seconds for word in words], clicks + 0.1, atol=0.1)


def test_a_recording_that_breaks_off_is_named(model, recording, tmp_path) -> None:
    """Its header promises more than there is, which is noticed windows later."""
    whole = recording.read_bytes()
    path = tmp_path / "broken.flac"
    path.write_bytes(whole[: len(whole) * 2 // 3])
    in_windows = replace(model, windowing=Windowing(seconds=4, context_seconds=1), batch_size=1)
    broken, good = in_windows.transcripts([path, recording])
    assert broken.fault is not None
    assert str(path) in broken.fault
    assert good.fault is None
