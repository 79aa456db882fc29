"""A change of speed changes length and pitch by the factor, and its length is known before."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from duovox.data.stage.speed import SpeedPerturbation

FACTORS = (0.9, 1.0, 1.1)


@pytest.fixture
def speed() -> SpeedPerturbation:
    return SpeedPerturbation(FACTORS)


def test_the_factor_nearest_to_one_comes_first(speed) -> None:
    assert speed.factors[0] == 1.0
    assert sorted(speed.factors) == sorted(FACTORS)


@pytest.mark.parametrize("choice", [0, 1, 2])
@pytest.mark.parametrize("num_samples", [400, 401, 15_999, 16_000])
def test_the_planned_length_is_the_true_length(speed, choice, num_samples) -> None:
    wave = np.random.default_rng(0).standard_normal(num_samples).astype(np.float32)
    planned = speed.lengths(np.array([num_samples]), np.array([choice]))
    assert planned.tolist() == [len(speed(wave, choice))]


@pytest.mark.parametrize("choice", [0, 1, 2])
@pytest.mark.parametrize("num_samples", [400, 16_001, 48_000])
def test_a_chunk_comes_out_whole_after_the_change(speed, choice, num_samples) -> None:
    taken = speed.num_source_samples(num_samples, choice)
    given = speed.lengths(np.array([taken]), np.array([choice]))[0]
    assert num_samples <= given <= num_samples + 1


@pytest.mark.parametrize("choice", [0, 1, 2])
def test_the_pitch_follows_the_speed(speed, choice) -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000).astype(np.float32)
    changed = speed(tone, choice)
    spectrum = np.abs(np.fft.rfft(changed * np.hanning(len(changed))))
    peak = spectrum.argmax() * 16_000 / len(changed)
    assert peak == pytest.approx(1000 * speed.factors[choice], abs=2)


def test_speed_one_changes_nothing(speed) -> None:
    wave = np.random.default_rng(0).standard_normal(500).astype(np.float32)
    np.testing.assert_array_equal(speed(wave, 0), wave)


def test_all_factors_are_drawn_equally_often(speed) -> None:
    drawn = Counter(speed.draw(9000, np.random.default_rng(4)).tolist())
    assert all(2800 < drawn[choice] < 3200 for choice in range(3))


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ((), "must be given"),
        ((1.0, 1.0), "each once"),
        ((0.1,), r"must lie in \[0.5, 2.0\], got 0.1"),
        ((1.001,), "at most two decimals"),
    ],
)
def test_factors_that_make_no_sense_are_refused(factors, message) -> None:
    with pytest.raises(ValueError, match=message):
        SpeedPerturbation(factors)
