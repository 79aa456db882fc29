"""Twenty minutes of real words: memory stays where it is, and none is lost at a window's edge."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

import duovox
from duovox.batch import NetworkOutput
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.run.recognition.window import Windowing

pytestmark = pytest.mark.slow

SECONDS = 20 * 60


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory, speech_data: Path) -> Path:
    """Return real digits in any order, with pauses of 0.1 to 0.5 s between."""
    generator = np.random.default_rng(0)
    paths = sorted((speech_data / "digits" / "audio").rglob("*.flac"))[::10]
    waves = [soundfile.read(path, dtype="float32")[0] for path in paths]
    place = tmp_path_factory.mktemp("long") / "digits.flac"
    with soundfile.SoundFile(place, "w", 16_000, 1) as file:
        while file.frames < SECONDS * 16_000:
            file.write(waves[generator.integers(len(waves))])
            file.write(np.zeros(generator.integers(1600, 8000), np.float32))
    return place


class Ear(nn.Module):
    """Hear in each frame alone: A or B as the wave falls or rises, a border in exact silence."""

    def __init__(self, backbone: Wav2Vec2Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, waves: Tensor, num_samples: Tensor, *, task: str) -> NetworkOutput:
        frames = waves.unfold(1, 400, 320)  # (B, T, 400)
        is_silent = (frames == 0).all(dim=-1)
        heard = torch.where(is_silent, 1, 2 + (frames[..., -1] > frames[..., 0]).long())  # (B, T)
        logits = 9.0 * nn.functional.one_hot(heard, 4)
        counts = self.backbone.architecture.num_frames(num_samples)
        return NetworkOutput(frames=logits, num_frames=counts, token_logits=logits)


def test_no_word_is_lost_or_said_twice_between_windows(finished_run, recording) -> None:
    model = duovox.load(finished_run)
    normalizes = model.card.normalizes | {"speech": False}
    card = replace(
        model.card, vocabulary=["<pad>", "|", "A", "B"], decoder=None, normalizes=normalizes
    )
    ear = replace(model, network=Ear(model.network.backbone), card=card)
    whole = replace(ear, windowing=Windowing(seconds=SECONDS + 60), batch_size=1)
    [expected], [text] = whole.transcribe([recording]), ear.transcribe([recording])
    assert len(expected.split()) > 1_000
    assert text == expected


def peak_memory(run: Path, path: Path) -> int:
    """Return the most memory in bytes that `duovox transcribe` takes for a recording."""
    command = [sys.executable, "-c", "from duovox.cli import main; main()", "transcribe"]
    arguments = [*command, str(run), str(path), "--batch-size", "1"]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return 1024 * usage.ru_maxrss


def test_a_recording_takes_the_memory_of_a_quarter_of_it(finished_run, recording, tmp_path) -> None:
    wave, _ = soundfile.read(recording, dtype="float32")
    soundfile.write(tmp_path / "quarter.flac", wave[: len(wave) // 4], 16_000)
    little = peak_memory(finished_run, tmp_path / "quarter.flac")
    assert peak_memory(finished_run, recording) - little < 0.5 * wave.nbytes
