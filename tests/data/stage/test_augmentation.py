"""What all augmentations share. A new one adds its line to AUGMENTATIONS."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.data.stage import Augmentation
from duovox.data.stage.noise import AdditiveNoise

AUGMENTATIONS = [
    AdditiveNoise(color="white"),
    AdditiveNoise(color="pink"),
    AdditiveNoise(probability=0.5, snr_db=(0, 5)),
]


@pytest.fixture
def wave() -> np.ndarray:
    return np.sin(np.arange(8001) / 9).astype(np.float32)


@pytest.fixture(params=AUGMENTATIONS, ids=lambda augment: type(augment).__name__)
def augment(request: pytest.FixtureRequest) -> Augmentation:
    return request.param


def test_the_same_generator_gives_the_same_wave(augment, wave) -> None:
    one, two = (augment(wave, np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_other_generators_give_other_waves(augment, wave) -> None:
    waves = [augment(wave, np.random.default_rng(seed)).tobytes() for seed in range(8)]
    assert len(set(waves)) > 1


def test_chance_comes_from_the_generator_alone(augment, wave) -> None:
    np.random.seed(1)  # noqa: NPY002 - the global generator must not matter
    one = augment(wave, np.random.default_rng(3))
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(one, augment(wave, np.random.default_rng(3)))


@pytest.mark.parametrize("num_samples", [1, 2, 400, 8001])
def test_length_and_type_stay(augment, wave, num_samples) -> None:
    changed = augment(wave[:num_samples], np.random.default_rng(3))
    assert changed.shape == (num_samples,)
    assert changed.dtype == np.float32
    assert np.isfinite(changed).all()


def test_the_input_is_left_alone(augment, wave) -> None:
    before = wave.copy()
    augment(wave, np.random.default_rng(3))[:] = 0
    np.testing.assert_array_equal(wave, before)


def test_silence_stays_finite(augment) -> None:
    assert np.isfinite(augment(np.zeros(500, np.float32), np.random.default_rng(3))).all()
