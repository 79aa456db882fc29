"""Normalising agrees with the published feature extractor and stays finite."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.audio.normalize import normalize


def test_agrees_with_the_feature_extractor_of_transformers():
    import transformers

    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=True)
    wave = np.random.default_rng(0).normal(0.3, 0.02, 16_000).astype(np.float32)
    theirs = extractor(wave, sampling_rate=16_000).input_values[0]
    np.testing.assert_allclose(normalize(wave), theirs, atol=1e-4)


def test_mean_is_zero_and_variance_one():
    wave = normalize(np.random.default_rng(0).normal(3, 2, 16_000).astype(np.float32))
    assert wave.dtype == np.float32
    assert abs(wave.mean()) < 1e-6
    assert abs(wave.var() - 1) < 1e-5


@pytest.mark.parametrize("level", [0.0, 0.25])
def test_silence_stays_silence(level):
    np.testing.assert_allclose(normalize(np.full(16_000, level, np.float32)), 0, atol=1e-3)
