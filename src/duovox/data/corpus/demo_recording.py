"""From a text to the recording that a microphone would have made of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from duovox.batch import SAMPLE_RATE
from duovox.data.corpus.demo_voice import Voice
from duovox.data.corpus.espeak import Speech

_SILENCE_SECONDS = 0.05  # before and after, at most
_NOISE_DB = (25.0, 40.0)  # speech to noise, per utterance
_PEAK = (0.3, 0.9)
_BLOCK_SECONDS = 0.02  # whole samples at 22.05 kHz and at 16 kHz


def record(
    speech: Speech, text: str, *, voice: Voice, random: np.random.Generator
) -> NDArray[np.float32]:
    """Return the text as this voice says it (S,), 16 kHz: coloured, noisy, at some loudness."""
    spoken = speech.speak(text.lower(), style=voice.vary(random))
    before, after = random.integers(0, int(_SILENCE_SECONDS * speech.sample_rate), 2)
    wave = through_channel(np.pad(spoken, (before, after)), speech.sample_rate, voice.channel_db)
    noise = random.standard_normal(len(wave), dtype=np.float32)
    wave += noise * wave.std() * np.float32(10 ** (-random.uniform(*_NOISE_DB) / 20))
    return wave * np.float32(random.uniform(*_PEAK) / np.abs(wave).max())


def through_channel(
    wave: NDArray[np.float32], sample_rate: int, channel_db: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Filter and resample in one go: scale the spectrum and cut it off at 8 kHz."""
    block = int(_BLOCK_SECONDS * sample_rate)
    num_blocks = -(-len(wave) // block)
    num_samples = num_blocks * int(_BLOCK_SECONDS * SAMPLE_RATE)
    spectrum = np.fft.rfft(wave, num_blocks * block)[: num_samples // 2 + 1]
    bands = np.linspace(0, len(channel_db) - 1, len(spectrum))
    gain_db = np.interp(bands, np.arange(len(channel_db)), channel_db)
    gain = 10 ** (gain_db / 20) * num_samples / (num_blocks * block)
    return np.fft.irfft(spectrum * gain, num_samples).astype(np.float32)
