"""Take plain 16-bit WAV files apart without a decoder: their samples lie there ready."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_PLAIN_INTEGERS = 1  # a format tag
_SCALE = np.float32(1 / 32_768)  # full scale is 1, as everywhere


@dataclass(frozen=True, slots=True)
class PlainWav:
    """The samples of a WAV file, still as they are stored."""

    pcm: NDArray[np.int16]  # (S,) or (S, C)
    sample_rate: int  # Hz

    def wave(self, start: int, num_samples: int) -> NDArray[np.float32]:
        """Return (S,) or (S, C) float32 in [-1, 1]: the same numbers as libsndfile's."""
        return self.pcm[start : start + num_samples] * _SCALE


def open_plain_wav(content: bytes) -> PlainWav | None:
    """Find the samples of a plain 16-bit WAV file; return None for every other content.

    This is a few microseconds against a hundred for a decoder. What is cut short or odd in any way
    counts as other content, too: the decoder shall judge it.
    """
    if content[:4] != b"RIFF" or content[8:12] != b"WAVE":
        return None
    position, layout = 12, None
    while position + 8 <= len(content):
        name, size = struct.unpack_from("<4sI", content, position)
        position += 8
        if name == b"data":
            return _samples(content, position, size, layout) if layout else None
        if name == b"fmt ":
            layout = _layout(content, position)
        position += size + size % 2  # chunks are padded to even sizes
    return None


def _layout(content: bytes, position: int) -> tuple[int, int] | None:
    """Return the number of channels and the sample rate of a plain 16-bit format."""
    if position + 16 > len(content):
        return None
    tag, num_channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", content, position)
    is_plain = tag == _PLAIN_INTEGERS and bits == 16 and num_channels and rate
    return (num_channels, rate) if is_plain else None


def _samples(content: bytes, position: int, size: int, layout: tuple[int, int]) -> PlainWav | None:
    num_channels, rate = layout
    if not 0 < size <= len(content) - position or size % (2 * num_channels):
        return None
    pcm = np.frombuffer(content, dtype="<i2", count=size // 2, offset=position)
    return PlainWav(pcm if num_channels == 1 else pcm.reshape(-1, num_channels), rate)
