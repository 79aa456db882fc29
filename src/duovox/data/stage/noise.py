"""Add noise to a wave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from duovox.data.stage import Wave


class AdditiveNoise:
    """Add white or pink noise at a signal-to-noise ratio that is drawn evenly from a range in dB.

    Args:
        probability: Share of waves that get noise.
        snr_db: Lowest and highest ratio of the powers of wave and noise.
        color: white: equal power at all frequencies; pink: equal power per octave, like most rooms.
    """

    def __init__(
        self,
        *,
        probability: float = 1.0,
        snr_db: Sequence[float] = (10.0, 30.0),
        color: Literal["white", "pink"] = "pink",
    ) -> None:
        if not 0 <= probability <= 1:
            raise ValueError(f"noise probability must lie in [0, 1], got {probability}")
        if len(snr_db) != 2 or snr_db[0] > snr_db[1]:
            raise ValueError(f"snr_db must be [lowest, highest], got {list(snr_db)}")
        if color not in ("white", "pink"):
            raise ValueError(f"noise color must be white or pink, got {color!r}")
        self.probability = probability
        self.lowest_snr_db, self.highest_snr_db = snr_db
        self.color = color

    def __call__(self, wave: Wave, generator: np.random.Generator) -> Wave:
        """Return the wave (S,) with noise, or an unchanged copy."""
        if generator.random() >= self.probability:
            return wave.copy()
        draw = _pink if self.color == "pink" else _white
        noise = draw(len(wave), generator)
        snr = 10 ** (generator.uniform(self.lowest_snr_db, self.highest_snr_db) / 10)
        gain = np.sqrt(_power(wave) / (snr * _power(noise)))
        return wave + np.float32(gain) * noise


def _white(num_samples: int, generator: np.random.Generator) -> Wave:
    return generator.standard_normal(num_samples, dtype=np.float32)


def _pink(num_samples: int, generator: np.random.Generator) -> Wave:
    """Draw a spectrum whose power falls as 1 / frequency (3 dB per octave), and transform it.

    The transform has a power of two as its length, which is 20 times faster than a prime.
    """
    length = 1 << max(1, (num_samples - 1).bit_length())
    frequency = np.arange(1, length // 2 + 1, dtype=np.float32)
    parts = generator.standard_normal((2, length // 2), dtype=np.float32) / np.sqrt(frequency)
    spectrum = np.concatenate([np.zeros(1, np.complex64), parts[0] + 1j * parts[1]])  # no offset
    return np.fft.irfft(spectrum, length)[:num_samples].astype(np.float32)


def _power(wave: Wave) -> float:
    return float(np.mean(np.square(wave, dtype=np.float64)))
