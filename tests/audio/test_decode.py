"""Decoding gives back what was encoded, reads no more than asked, and refuses what is damaged."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.audio.decode import AudioInfo, probe, probe_ends, read_wave
from duovox.audio.error import AudioError

HALF_STEP = 0.5 / 32768  # of 16-bit audio


@pytest.mark.parametrize("kind", ["FLAC", "WAV"])
def test_a_decoded_wave_is_the_encoded_one(kind, sine, encode):
    wave, rate = read_wave(encode(sine(), kind=kind))
    assert rate == 16_000
    assert wave.dtype == np.float32
    np.testing.assert_allclose(wave, sine(), atol=2 * HALF_STEP)


@pytest.mark.parametrize("kind", ["FLAC", "WAV"])
@pytest.mark.parametrize("start", [0, 1, 4095, 4096, 100_000, 127_999 - 16_000])
def test_a_stretch_equals_the_same_stretch_of_the_whole(kind, start, encode):
    content = encode(np.random.default_rng(1).uniform(-0.5, 0.5, 128_000), kind=kind)
    whole, _ = read_wave(content)
    part, _ = read_wave(content, start=start, num_samples=16_000)
    np.testing.assert_array_equal(part, whole[start : start + 16_000])


def test_a_file_and_its_bytes_decode_alike(tmp_path: Path, sine, encode):
    path = tmp_path / "a.flac"
    path.write_bytes(encode(sine()))
    np.testing.assert_array_equal(read_wave(path)[0], read_wave(path.read_bytes())[0])
    assert probe(path) == probe(path.read_bytes())


def test_channels_stay_apart(sine, encode):
    stereo = np.stack([sine(hertz=300), sine(hertz=500)], axis=1)
    wave, _ = read_wave(encode(stereo))
    np.testing.assert_allclose(wave, stereo, atol=2 * HALF_STEP)


def test_probing_reads_the_header(sine, encode):
    info = probe(encode(sine(2.0, rate=8000), rate=8000, kind="WAV"))
    assert info == AudioInfo(num_samples=16_000, sample_rate=8000, num_channels=1, format="WAV")


@pytest.mark.parametrize("kind", ["FLAC", "WAV"])
@pytest.mark.parametrize("rate", [16_000, 44_100])
def test_probing_both_ends_reads_the_header_of_whole_files(kind, rate, encode):
    content = encode(np.random.default_rng(0).uniform(-0.5, 0.5, (30_000, 2)), rate=rate, kind=kind)
    assert probe_ends(content) == probe(content)


@pytest.mark.parametrize("num_missing", [1, 2, 100, 2000, 20_000])
def test_probing_both_ends_finds_flac_that_was_cut(num_missing, encode):
    content = encode(np.random.default_rng(0).uniform(-0.5, 0.5, 30_000))
    with pytest.raises(AudioError) as caught:
        probe_ends(content[:-num_missing])
    assert caught.value.cause in {"cut short", "undecodable"}


@pytest.mark.parametrize("content", [b"", b"this is text", b"fLaC" + bytes(60)])
def test_probing_both_ends_refuses_what_is_no_audio(content):
    with pytest.raises(AudioError):
        probe_ends(content)


def test_flac_whose_header_tells_no_length_is_undecodable_here(encode):
    """ffmpeg writes such files into pipes; libsndfile would make room for 2^63 samples."""
    content = bytearray(encode(np.zeros(20_000)))
    content[21:26] = bytes([content[21] & 0xF0, 0, 0, 0, 0])
    for read in (probe, probe_ends, read_wave):
        with pytest.raises(AudioError, match="does not tell its length"):
            read(bytes(content))


def test_real_speech_decodes_as_soundfile_says(speech_data: Path):
    path = next((speech_data / "digits" / "audio").rglob("*.flac"))
    np.testing.assert_array_equal(read_wave(path)[0], soundfile.read(path, dtype="float32")[0])


@pytest.mark.parametrize(("start", "number"), [(-1, 10), (0, 0), (0, 16_001), (16_000, 1)])
def test_a_stretch_outside_the_audio_is_refused(start, number, sine, encode):
    with pytest.raises(AudioError, match="must lie within the 16000") as caught:
        read_wave(encode(sine()), start=start, num_samples=number)
    assert caught.value.cause == "out of range"


@pytest.mark.parametrize("content", [b"", b"this is text", b"fLaC" + bytes(16), bytes(5000)])
def test_what_is_no_audio_is_undecodable(content):
    with pytest.raises(AudioError) as caught:
        read_wave(content)
    assert caught.value.cause == "undecodable"


def test_a_wav_cut_in_half_is_refused_although_libsndfile_reads_it(sine, encode):
    half = encode(sine(), kind="WAV")[: 44 + 16_000]
    with pytest.raises(AudioError, match="promises 16000 bytes more") as caught:
        read_wave(half)
    assert caught.value.cause == "cut short"


def test_a_wav_of_unknown_length_is_read_to_its_end(sine, encode):
    content = bytearray(encode(sine(), kind="WAV", subtype="PCM_16"))
    content[40:44] = b"\xff\xff\xff\xff"  # written by programs that stream
    assert len(read_wave(bytes(content))[0]) == 16_000


def test_a_flac_cut_in_half_is_refused(encode):
    content = encode(np.random.default_rng(0).uniform(-0.5, 0.5, 32_000))
    with pytest.raises(AudioError) as caught:
        read_wave(content[: len(content) // 2])
    assert caught.value.cause in {"cut short", "undecodable"}


def test_a_flac_with_zeroed_bytes_is_refused(encode):
    content = bytearray(encode(np.random.default_rng(0).uniform(-0.5, 0.5, 32_000)))
    content[20_000:20_400] = bytes(400)
    with pytest.raises(AudioError) as caught:
        read_wave(bytes(content))
    assert caught.value.cause in {"cut short", "undecodable"}


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_not_finite_are_refused(bad, sine, encode):
    wave = sine()
    wave[[7, 70]] = bad
    with pytest.raises(AudioError, match="2 samples") as caught:
        read_wave(encode(wave, kind="WAV", subtype="FLOAT"))
    assert caught.value.cause == "not finite"


@pytest.mark.parametrize("kind", ["FLAC", "WAV"])
def test_audio_without_samples_is_refused(kind, encode):
    with pytest.raises(AudioError) as caught:
        read_wave(encode(np.zeros(0, np.float32), kind=kind))
    assert caught.value.cause in {"no samples", "undecodable"}


def test_a_stretch_is_reached_without_reading_what_lies_before_it(encode, monkeypatch):
    num_read = 0

    class Counting(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            nonlocal num_read
            content = super().read(size)
            num_read += len(content)
            return content

        def readinto(self, buffer: memoryview, /) -> int:
            nonlocal num_read
            number = super().readinto(buffer)
            num_read += number
            return number

    monkeypatch.setattr("duovox.audio.decode.BytesIO", Counting)
    content = encode(np.random.default_rng(0).uniform(-0.5, 0.5, 480_000))
    read_wave(content, start=400_000, num_samples=16_000)
    assert 0.02 < num_read / len(content) < 0.2  # 1 of 30 seconds, and the search for it
