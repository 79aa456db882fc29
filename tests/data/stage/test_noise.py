"""Noise has the ratio, the share and the color that were asked for."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from duovox.data.stage.noise import AdditiveNoise


@pytest.fixture
def wave() -> np.ndarray:
    return np.sin(np.arange(64_000) / 9).astype(np.float32)


@pytest.mark.parametrize("color", ["white", "pink"])
@pytest.mark.parametrize("snr_db", [0.0, 12.5])
def test_noise_has_the_asked_ratio(wave, color, snr_db) -> None:
    noise = AdditiveNoise(snr_db=(snr_db, snr_db), color=color)
    added = noise(wave, np.random.default_rng(1)) - wave
    ratio = 10 * np.log10(np.mean(wave**2) / np.mean(added**2))
    assert ratio == pytest.approx(snr_db, abs=1e-3)


def test_ratios_fill_their_range(wave) -> None:
    noise = AdditiveNoise(snr_db=(10, 30))
    ratios = []
    for seed in range(200):
        added = noise(wave[:1000], np.random.default_rng(seed)) - wave[:1000]
        ratios.append(10 * np.log10(np.mean(wave[:1000] ** 2) / np.mean(added**2)))
    assert 10 <= min(ratios) < 11.5
    assert 28.5 < max(ratios) <= 30.01


def test_the_asked_share_of_waves_gets_noise(wave) -> None:
    noise = AdditiveNoise(probability=0.3)
    changed = sum(
        not np.array_equal(noise(wave[:400], np.random.default_rng(seed)), wave[:400])
        for seed in range(1000)
    )
    assert 250 < changed < 350


@pytest.mark.parametrize(("color", "slope"), [("white", 0.0), ("pink", -1.0)])
def test_the_power_falls_with_frequency_as_the_color_says(color, slope) -> None:
    tone = np.ones(1 << 17, np.float32)
    noise = AdditiveNoise(snr_db=(0, 0), color=color)(tone, np.random.default_rng(1)) - tone
    frequency, power = welch(noise, fs=16_000, nperseg=4096)
    band = (frequency > 50) & (frequency < 7000)
    found = np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0]
    assert found == pytest.approx(slope, abs=0.08)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"probability": 1.5}, "probability must lie in"),
        ({"snr_db": (30, 10)}, "lowest, highest"),
        ({"snr_db": (30,)}, "lowest, highest"),
        ({"color": "brown"}, "white or pink, got 'brown'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        AdditiveNoise(**settings)
