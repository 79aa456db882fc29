"""Bring a wave to zero mean and unit variance, as the published wav2vec 2.0 models expect it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_EPSILON = 1e-7  # keeps silence finite


def normalize(wave: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (wave - mean) / sqrt(variance + 1e-7); silence stays silence.

    Statistics are taken in float64: the sum over a long wave loses digits in float32.
    """
    mean, variance = wave.mean(dtype=np.float64), wave.var(dtype=np.float64)
    normalized: NDArray[np.float32] = (wave - mean) / np.sqrt(variance + _EPSILON)
    return normalized.astype(np.float32)
