"""Plain 16-bit WAV without a decoder: the same numbers as with one, or no answer."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from duovox.audio.decode import read_wave
from duovox.audio.pcm import open_plain_wav


def wav(wave: np.ndarray, *, subtype: str = "PCM_16", rate: int = 16_000) -> bytes:
    content = io.BytesIO()
    soundfile.write(content, wave, rate, format="WAV", subtype=subtype)
    return content.getvalue()


@given(
    pcm=st.lists(st.integers(-32_768, 32_767), min_size=1, max_size=60),
    rate=st.sampled_from([8000, 16_000, 44_100]),
)
@settings(max_examples=50, deadline=None)
def test_the_samples_are_those_of_libsndfile(pcm: list[int], rate: int) -> None:
    content = wav(np.array(pcm, dtype=np.int16), rate=rate)
    wave, sample_rate = read_wave(content)
    theirs, _ = soundfile.read(io.BytesIO(content), dtype="float32")
    np.testing.assert_array_equal(wave, theirs)
    assert wave.dtype == np.float32
    assert sample_rate == rate


def test_a_part_of_several_channels_is_that_of_libsndfile() -> None:
    content = wav(np.random.default_rng(0).uniform(-1, 1, (500, 3)))
    wave, _ = read_wave(content, start=100, num_samples=50)
    theirs, _ = soundfile.read(io.BytesIO(content), start=100, frames=50, dtype="float32")
    np.testing.assert_array_equal(wave, theirs)


def test_other_chunks_before_the_samples_are_stepped_over() -> None:
    plain = wav(np.array([1, 2, 3], dtype=np.int16))
    note = b"LIST" + struct.pack("<I", 3) + b"abc\0"  # odd sizes are padded
    found = open_plain_wav(plain[:36] + note + plain[36:])
    assert found is not None
    assert found.pcm.tolist() == [1, 2, 3]


@pytest.mark.parametrize("subtype", ["FLOAT", "PCM_24", "PCM_U8", "ULAW"])
def test_other_formats_are_left_to_the_decoder(subtype) -> None:
    assert open_plain_wav(wav(np.ones(100) / 2, subtype=subtype)) is None


@pytest.mark.parametrize("length", [0, 11, 20, 30, 40, 44, 46, 143])
def test_what_is_cut_short_is_left_to_the_decoder(length) -> None:
    content = wav(np.ones(50) / 2)
    assert len(content) == 144
    assert open_plain_wav(content[:length]) is None


def test_sizes_that_streaming_programs_leave_open_are_left_to_the_decoder() -> None:
    content = bytearray(wav(np.ones(50) / 2))
    content[40:44] = b"\xff" * 4
    assert open_plain_wav(bytes(content)) is None


def test_other_files_are_left_to_the_decoder() -> None:
    assert open_plain_wav(b"fLaC" + bytes(100)) is None
