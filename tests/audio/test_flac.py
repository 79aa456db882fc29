"""Header and last frame tell that a FLAC file is whole; the decoder judges all other content."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.audio.ffmpeg import program
from duovox.audio.flac import StreamInfo, read_whole


def noise(num_samples: int) -> np.ndarray:
    return np.random.default_rng(num_samples).uniform(-0.3, 0.3, num_samples)


def test_real_speech_is_whole_and_as_long_as_the_decoder_says(speech_data: Path):
    for path in sorted((speech_data / "librispeech").rglob("*.flac"))[::8]:
        found, expected = read_whole(path.read_bytes()), soundfile.info(path)
        assert found is not None, path
        assert found.num_samples == expected.frames
        assert (found.sample_rate, found.num_channels) == (16_000, 1)


@pytest.mark.parametrize("num_samples", [1, 4095, 4096, 4097, 12_288, 100_000])
@pytest.mark.parametrize(("rate", "num_channels"), [(16_000, 1), (44_100, 2)])
def test_the_header_tells_length_rate_and_channels(num_samples, rate, num_channels, encode):
    wave = np.stack([noise(num_samples)] * num_channels, axis=1)
    found = read_whole(encode(wave, rate=rate))
    assert found is not None
    length, block_size = found.num_samples, found.block_size
    assert (length, found.sample_rate, found.num_channels) == (num_samples, rate, num_channels)
    assert block_size in (0, 4096, 4608)


@pytest.mark.parametrize("num_frames", [127, 128, 129, 2047, 2048, 2049])
def test_frame_numbers_of_several_bytes_are_read(num_frames, encode):
    found = read_whole(encode(np.zeros(4096 * num_frames)))
    assert found == StreamInfo(
        num_samples=4096 * num_frames, sample_rate=16_000, num_channels=1, block_size=4096
    )


@pytest.mark.parametrize("num_missing", [2, 3, 10, 500, 2000, 9000, 100_000])
def test_a_file_that_was_cut_is_not_whole(num_missing, encode):
    content = encode(noise(60_000))
    assert read_whole(content[:-num_missing]) is None


def test_a_file_that_was_cut_between_two_frames_is_not_whole(encode):
    content = encode(noise(20_000))
    cuts = [place for place in range(100, len(content)) if content[place:][:2] == b"\xff\xf8"]
    assert len(cuts) >= 4
    for place in cuts:
        assert read_whole(content[:place]) is None


def test_a_flipped_bit_or_content_behind_the_end_shows(encode):
    content = bytearray(encode(noise(20_000)))
    assert read_whole(bytes(content) + b"more") is None
    content[-300] ^= 4
    assert read_whole(bytes(content)) is None


@pytest.mark.parametrize("content", [b"", b"fLaC", b"not found", b"fLaC\0\0\0\42" + bytes(40)])
def test_other_content_is_left_to_the_decoder(content):
    assert read_whole(content) is None


def test_other_encoders_and_layouts_are_read_or_left_to_the_decoder(tmp_path: Path):
    """ffmpeg's own encoder, with a comment block; and without a length, as streams have it."""
    soundfile.write(tmp_path / "a.wav", noise(50_000), 16_000)
    command = [program(), "-loglevel", "error", "-i", str(tmp_path / "a.wav"), "-f", "flac"]
    subprocess.run([*command, str(tmp_path / "a.flac")], check=True)
    found = read_whole((tmp_path / "a.flac").read_bytes())
    assert found is not None
    assert found.num_samples == 50_000
    piped = subprocess.run([*command, "-"], check=True, stdout=subprocess.PIPE).stdout
    assert read_whole(piped) is None
