"""Waves whose content is known, and files that hold them."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.audio.ffmpeg import program


@pytest.fixture(scope="session")
def sine() -> Callable[..., np.ndarray]:
    """Return a function that makes a sine of half scale: (S,) float32."""

    def make(seconds: float = 1.0, *, hertz: float = 440.0, rate: int = 16_000) -> np.ndarray:
        times = np.arange(round(seconds * rate)) / rate
        return (0.5 * np.sin(2 * np.pi * hertz * times)).astype(np.float32)

    return make


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """Return a function that makes the bytes of an audio file."""

    def make(wave: np.ndarray, *, rate: int = 16_000, kind: str = "FLAC", **kwargs: str) -> bytes:
        buffer = io.BytesIO()
        soundfile.write(buffer, wave, rate, format=kind, **kwargs)
        return buffer.getvalue()

    return make


@pytest.fixture
def m4a(tmp_path: Path, sine) -> Path:
    """Return a stereo AAC file of one second at 44.1 kHz."""
    wav, path = tmp_path / "a.wav", tmp_path / "a.m4a"
    soundfile.write(wav, np.stack([sine(rate=44_100)] * 2, axis=1), 44_100)
    command = [program(), "-loglevel", "error", "-i", str(wav), "-c:a", "aac", str(path)]
    subprocess.run(command, check=True)
    return path
