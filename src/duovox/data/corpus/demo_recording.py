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
    wave = through_channel(
        np.pad(spoken, (before, after)),
        speech.sample_rate,
        channel_db=voice.channel_db,
        tract_length=voice.tract_length,
    )
    noise = random.standard_normal(len(wave), dtype=np.float32)
    wave += noise * wave.std() * np.float32(10 ** (-random.uniform(*_NOISE_DB) / 20))
    return wave * np.float32(random.uniform(*_PEAK) / np.abs(wave).max())


def through_channel(
    wave: NDArray[np.float32],
    sample_rate: int,
    *,
    channel_db: NDArray[np.float32],
    tract_length: float = 1.0,
) -> NDArray[np.float32]:
    """Stretch, filter and resample to 16 kHz in one go: scale the spectrum and cut it off at 8 kHz.

    Args:
        channel_db: Gain at equally spaced frequencies from 0 Hz to 8 kHz.
        tract_length: Of the speaker, 1 = the wave's own: at 1.1 all its frequencies are a tenth
            lower, and it is a tenth longer.
    """
    block = int(_BLOCK_SECONDS * sample_rate)
    num_blocks = -(-len(wave) // block)
    # Lengths without large prime factors keep the transforms fast.
    num_samples = num_blocks * round(_BLOCK_SECONDS * SAMPLE_RATE * tract_length)
    spectrum = np.fft.rfft(wave, num_blocks * block)[: num_samples // 2 + 1]
    bands = np.linspace(0, len(channel_db) - 1, len(spectrum))
    gain_db = np.interp(bands, np.arange(len(channel_db)), channel_db)
    gain = 10 ** (gain_db / 20) * num_samples / (num_blocks * block)
    return np.fft.irfft(spectrum * gain, num_samples).astype(np.float32)
