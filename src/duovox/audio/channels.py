"""From several channels to one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from duovox.audio.error import AudioError


def mix_down(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (S,), the mean of the channels of a wave (S,) or (S, C)."""
    return wave if wave.ndim == 1 else wave.mean(axis=1, dtype=np.float32)


def pick_channel(wave: NDArray[np.float32], channel: int) -> NDArray[np.float32]:
    """Return (S,), one channel of a wave (S,) or (S, C); the first is 0.

    Raises:
        AudioError: there are not so many.
    """
    if channel >= (number := count_channels(wave)):
        raise AudioError("no such channel", f"channel {channel} is wanted, of 0 to {number - 1}")
    return wave if wave.ndim == 1 else wave[:, channel]


def count_channels(wave: NDArray[np.float32]) -> int:
    """Return C of a wave (S, C), or 1."""
    return 1 if wave.ndim == 1 else wave.shape[1]
