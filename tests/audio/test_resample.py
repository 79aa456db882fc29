"""Resampling keeps what fits into the new band and removes what does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from duovox.audio.resample import resample

MARGIN = 1000  # samples at both ends, where the filter hangs over


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100, 48_000])
def test_a_sine_stays_the_same_sine(rate, sine):
    resampled = resample(sine(2.0, rate=rate), rate, 16_000)
    error = (resampled - sine(2.0))[MARGIN:-MARGIN]
    assert len(resampled) == 32_000
    assert np.sqrt(np.mean(error**2)) < 1e-4  # 71 dB below the sine


def test_what_lies_above_the_new_band_is_removed(sine):
    aliases = resample(sine(2.0, hertz=10_000, rate=48_000), 48_000, 16_000)[MARGIN:-MARGIN]
    assert np.abs(aliases).max() < 5e-5  # 80 dB below the sine


def test_the_same_rate_changes_nothing(sine):
    np.testing.assert_array_equal(resample(sine(), 16_000, 16_000), sine())


def test_channels_are_resampled_one_by_one(sine):
    stereo = np.stack([sine(hertz=300, rate=8000), sine(hertz=500, rate=8000)], axis=1)
    both = resample(stereo, 8000, 16_000)
    assert both.shape == (16_000, 2)
    np.testing.assert_allclose(both[:, 1], resample(stereo[:, 1], 8000, 16_000), atol=1e-6)


def test_the_length_is_rounded_up():
    assert len(resample(np.zeros(44_101, np.float32), 44_100, 16_000)) == 16_001


def test_a_rate_must_be_positive():
    with pytest.raises(ValueError, match="must be positive, got 0 and 16000 Hz"):
        resample(np.zeros(10, np.float32), 0, 16_000)


def test_the_bits_do_not_depend_on_the_number_of_threads():
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, 9000).astype(np.float32)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = resample(wave, 14_400, 16_000)
        torch.set_num_threads(2)
        together = resample(wave, 14_400, 16_000)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    np.testing.assert_array_equal(alone, together)
