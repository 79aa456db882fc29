"""The spectrogram with its masked spans."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from duovox.run.report.canvas import LIGHT
from duovox.run.report.mask_plot import mask_plot, masked_utterance, read_masked, write_masked

NUM_FRAMES = 49  # of one second
MASK = np.zeros(NUM_FRAMES, dtype=bool)
MASK[[3, 4, 5, 48]] = True


def tone(kilohertz: float) -> np.ndarray:
    return np.sin(2 * np.pi * 1000 * kilohertz * np.arange(16_000) / 16_000).astype(np.float32)


def test_a_tone_is_loudest_at_its_frequency_in_every_frame() -> None:
    spectrum = masked_utterance("a", tone(2.0), MASK, hop=320).spectrum
    assert spectrum.shape == (NUM_FRAMES, 201)
    assert set(spectrum.argmax(axis=1)) == {50}  # of 200 steps to 8 kHz
    assert (spectrum[:, 50] - spectrum[:, 150] > 60).all()


def test_masked_spans_are_shaded_where_they_lie(tmp_path: Path) -> None:
    utterance = masked_utterance("spk/ch/utt", tone(1.0), MASK, hop=320)
    write_masked(utterance, tmp_path / "masked" / "set.npz")
    plot = mask_plot(read_masked(tmp_path / "masked" / "set.npz"))
    assert "spk/ch/utt; the 8% of its frames" in plot.note
    axes = Figure().add_subplot()
    plot.draw(axes, LIGHT)
    spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in axes.patches]
    assert spans == [pytest.approx((0.06, 0.12)), pytest.approx((0.96, 0.98))]
    assert axes.images[0].get_extent() == [0, 0.98, 0, 8]


def test_frames_lie_as_far_apart_as_the_network_makes_them(tmp_path: Path) -> None:
    write_masked(masked_utterance("a", tone(1.0), MASK[:30], hop=480), tmp_path / "set.npz")
    axes = Figure().add_subplot()
    mask_plot(read_masked(tmp_path / "set.npz")).draw(axes, LIGHT)
    (patch,) = axes.patches
    assert (patch.get_x(), patch.get_width()) == pytest.approx((0.09, 0.09))  # frames 3 to 5
    assert axes.images[0].get_extent() == [0, pytest.approx(0.9), 0, 8]


def test_a_file_of_an_earlier_version_has_frames_of_20_ms(tmp_path: Path) -> None:
    spectrum = np.zeros((NUM_FRAMES, 201), dtype=np.float16)
    np.savez_compressed(tmp_path / "set.npz", key="a", spectrum=spectrum, mask=MASK)
    assert read_masked(tmp_path / "set.npz").frame_seconds == 0.02


def test_of_a_long_utterance_eight_seconds_are_shown() -> None:
    wave = np.zeros(16_000 * 20, dtype=np.float32)
    shown = masked_utterance("a", wave, np.ones(999, dtype=bool), hop=320)
    assert len(shown.mask) == len(shown.spectrum) == 400
    assert np.isfinite(shown.spectrum).all()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(ValueError, match=r"set\.npz must hold a masked utterance"):
        read_masked(path)
