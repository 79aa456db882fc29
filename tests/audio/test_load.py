"""Loading brings any file to 16 kHz mono and says what it did."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.audio.error import AudioError
from duovox.audio.load import load_wave


def test_a_fitting_file_is_loaded_without_notes(tmp_path: Path, sine):
    soundfile.write(tmp_path / "a.flac", sine(), 16_000)
    loaded = load_wave(tmp_path / "a.flac")
    assert loaded.notes == ()
    np.testing.assert_allclose(loaded.wave, sine(), atol=1e-4)


def test_rate_and_channels_are_changed_and_noted(tmp_path: Path, sine):
    stereo = np.stack([sine(rate=44_100)] * 2, axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 44_100)
    loaded = load_wave(tmp_path / "a.wav")
    assert loaded.notes == ("mixed down 2 channels", "resampled from 44100 Hz")
    assert loaded.wave.shape == (16_000,)
    np.testing.assert_allclose(loaded.wave[1000:-1000], sine()[1000:-1000], atol=1e-3)


def test_a_channel_is_taken_and_noted(tmp_path: Path, sine):
    stereo = np.stack([sine(hertz=300), sine(hertz=500)], axis=1)
    soundfile.write(tmp_path / "a.wav", stereo, 16_000)
    loaded = load_wave(tmp_path / "a.wav", channel=1)
    assert loaded.notes == ("took channel 1 of 2",)
    np.testing.assert_allclose(loaded.wave, stereo[:, 1], atol=1e-4)


def test_other_formats_go_through_ffmpeg(m4a: Path):
    loaded = load_wave(m4a)
    assert loaded.notes == (
        "decoded m4a with ffmpeg",
        "mixed down 2 channels",
        "resampled from 44100 Hz",
    )
    assert abs(len(loaded.wave) - 16_000) < 2000  # AAC pads both ends


def test_the_content_decides_and_not_the_name(tmp_path: Path, sine):
    soundfile.write(tmp_path / "a.wav", sine(), 16_000)
    assert load_wave((tmp_path / "a.wav").rename(tmp_path / "a.m4a")).notes == ()


def test_flac_without_a_length_in_its_header_is_loaded_whole(tmp_path: Path, sine, encode):
    content = bytearray(encode(sine()))
    content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0, 0])
    (tmp_path / "a.flac").write_bytes(content)
    loaded = load_wave(tmp_path / "a.flac")
    assert loaded.notes == ("decoded flac with ffmpeg",)
    np.testing.assert_allclose(loaded.wave, sine(), atol=1e-4)


def test_a_stretch_of_a_file_for_ffmpeg_is_cut_out(m4a: Path):
    assert len(load_wave(m4a, start_seconds=0.25, stop_seconds=0.75).wave) == 8000


def test_a_stretch_in_seconds_is_cut_out(tmp_path: Path, sine):
    soundfile.write(tmp_path / "a.wav", sine(3.0), 16_000)
    loaded = load_wave(tmp_path / "a.wav", start_seconds=0.5, stop_seconds=2.0)
    np.testing.assert_allclose(loaded.wave, sine(3.0)[8000:32_000], atol=1e-4)


@pytest.mark.parametrize(("start", "stop"), [(1.0, 1.0), (0.5, 3.5), (4.0, None), (-1.0, None)])
def test_a_stretch_outside_the_audio_is_refused(start, stop, tmp_path: Path, sine):
    soundfile.write(tmp_path / "a.wav", sine(3.0), 16_000)
    with pytest.raises(AudioError, match=r"which lasts 3\.000 s"):
        load_wave(tmp_path / "a.wav", start_seconds=start, stop_seconds=stop)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(AudioError, match=r"there is no audio file .*nothing\.wav"):
        load_wave(tmp_path / "nothing.wav")


def test_a_cut_wav_is_not_given_to_ffmpeg(tmp_path: Path, sine):
    soundfile.write(tmp_path / "a.wav", sine(), 16_000)
    content = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(content[:10_000])
    with pytest.raises(AudioError, match="WAV header promises"):
        load_wave(tmp_path / "a.wav")
