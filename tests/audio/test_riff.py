"""The look into a WAV header finds how much of the promised data is missing."""

from __future__ import annotations

import io
import struct

import pytest

from duovox.audio.riff import missing_bytes


def wav(promised: int, held: int, *, before: bytes = b"") -> io.BytesIO:
    """Return a WAV file whose data chunk promises and holds so many bytes."""
    form = b"fmt " + struct.pack("<IHHIIHH", 16, 1, 1, 16_000, 32_000, 2, 16)
    chunks = form + before + b"data" + struct.pack("<I", promised) + bytes(held)
    return io.BytesIO(b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks)


@pytest.mark.parametrize(("held", "missing"), [(1000, 0), (999, 1), (0, 1000), (1200, 0)])
def test_promised_and_held_bytes_are_compared(held, missing):
    assert missing_bytes(wav(1000, held)) == missing


def test_other_chunks_are_skipped_with_their_padding():
    before = b"LIST" + struct.pack("<I", 5) + b"abcde\0"  # an odd size is padded
    assert missing_bytes(wav(1000, 400, before=before)) == 600


@pytest.mark.parametrize("promised", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_the_unknown_sizes_of_streams_promise_nothing(promised):
    assert missing_bytes(wav(promised, 100)) == 0


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"fLaC" + bytes(100), b"RIFF\0\0\0\0AVI " + bytes(9)]
)
def test_other_formats_are_left_alone(content):
    assert missing_bytes(io.BytesIO(content)) == 0
