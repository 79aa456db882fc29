"""From a row to a wave: cut, speed, augmentation, normalisation."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.audio.normalize import normalize
from duovox.data.stage.chunk import ChunkRule
from duovox.data.stage.speed import SpeedPerturbation
from duovox.data.wave.preparation import Preparation
from duovox.data.wave.reader import WaveReader


def prepare(index, preparation: Preparation, *, row: int = 0, speed: int = 0, seed: int = 1):
    reader = WaveReader(index, refuse_silence=True)
    return preparation.prepare(
        reader,
        row,
        num_samples=int(index.num_samples[row]),
        speed=speed,
        generator=np.random.default_rng(seed),
    )


def whole(index, row: int = 0) -> np.ndarray:
    reader = WaveReader(index, refuse_silence=True)
    return reader.read(row, num_samples=int(index.num_samples[row]))


def test_a_chunk_is_normalised_over_itself(index) -> None:
    chunk = ChunkRule(num_samples=4000, start="first")
    wave = prepare(index, Preparation(chunk=chunk))
    np.testing.assert_array_equal(wave, normalize(whole(index)[:4000]))
    assert wave.mean() == pytest.approx(0, abs=1e-5)
    assert wave.std() == pytest.approx(1, abs=1e-3)


def test_a_chunk_can_be_normalised_over_its_utterance(index) -> None:
    chunk = ChunkRule(num_samples=4000, start="first")
    wave = prepare(index, Preparation(chunk=chunk, normalize="utterance"))
    np.testing.assert_array_equal(wave, normalize(whole(index))[:4000])


def test_without_normalisation_the_samples_stay(index) -> None:
    np.testing.assert_array_equal(prepare(index, Preparation(normalize="none")), whole(index))


def test_only_the_chunk_is_decoded(index, monkeypatch) -> None:
    asked = []
    read = WaveReader.read

    def spy(self, row, *, start=0, num_samples):
        asked.append(num_samples)
        return read(self, row, start=start, num_samples=num_samples)

    monkeypatch.setattr(WaveReader, "read", spy)
    prepare(index, Preparation(chunk=ChunkRule(num_samples=4000)))
    assert asked == [4000]


@pytest.mark.parametrize("row", range(5))
@pytest.mark.parametrize("speed", [0, 1, 2])
@pytest.mark.parametrize(
    "chunk", [None, ChunkRule(num_samples=4000), ChunkRule(num_samples=90_000)]
)
def test_the_planned_length_is_the_length_of_the_wave(index, row, speed, chunk) -> None:
    preparation = Preparation(chunk=chunk, speed=SpeedPerturbation((0.9, 1.0, 1.1)))
    planned = preparation.lengths(index.num_samples[[row]], np.array([speed]))
    assert planned.tolist() == [len(prepare(index, preparation, row=row, speed=speed))]


def test_random_chunks_follow_the_generator(index) -> None:
    preparation = Preparation(chunk=ChunkRule(num_samples=4000))
    one, same, other = (prepare(index, preparation, seed=seed).tobytes() for seed in (1, 1, 2))
    assert one == same != other


def test_augmentations_come_in_order_before_normalisation(index) -> None:
    preparation = Preparation(
        augmentations=(lambda wave, _: wave + 1, lambda wave, _: wave * 2), normalize="none"
    )
    np.testing.assert_allclose(prepare(index, preparation), (whole(index) + 1) * 2)
    normalised = Preparation(augmentations=(lambda wave, _: wave + 1,))
    assert prepare(index, normalised).mean() == pytest.approx(0, abs=1e-5)
