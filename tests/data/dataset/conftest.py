"""Utterances in files, to be written into a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.data.utterance import Utterance, make_key


@pytest.fixture
def utterances(tmp_path: Path) -> list[Utterance]:
    """Return ten utterances in 16 kHz mono FLAC files, of two speakers in turn."""
    generator = np.random.default_rng(3)
    (tmp_path / "audio").mkdir()
    return [_utterance(tmp_path, number, generator) for number in range(10)]


def _utterance(folder: Path, number: int, generator: np.random.Generator) -> Utterance:
    source = f"audio/{number}.flac"
    soundfile.write(folder / source, generator.uniform(-0.5, 0.5, 1000 + number), 16_000)
    return Utterance(
        key=make_key("sp"[number % 2], "day1", f"{number}"),
        path=folder / source,
        source=source,
        speaker_id="sp"[number % 2],
        session_id="day1",
        gender="f",
        language="en",
        transcript=f"WÖRD {number}",
        duration=(1000 + number) / 16_000,
    )
