"""Change the sample rate of a wave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# A windowed sinc of 64 zero crossings: aliases lie below the noise of 16-bit audio.
_ZERO_CROSSINGS = 64
_ROLL_OFF = 0.9476  # pass band as a share of the lower Nyquist frequency
_KAISER_BETA = 14.77


def resample(wave: NDArray[np.float32], from_rate: int, to_rate: int) -> NDArray[np.float32]:
    """Return a wave (S,) or (S, C) at `to_rate` Hz: ceil(S * to_rate / from_rate) samples."""
    if from_rate < 1 or to_rate < 1:
        raise ValueError(f"sample rates must be positive, got {from_rate} and {to_rate} Hz")
    if from_rate == to_rate:
        return wave
    import torch
    from torchaudio import functional

    resampled = functional.resample(
        torch.from_numpy(np.ascontiguousarray(wave.T)),
        from_rate,
        to_rate,
        lowpass_filter_width=_ZERO_CROSSINGS,
        rolloff=_ROLL_OFF,
        resampling_method="sinc_interp_kaiser",
        beta=_KAISER_BETA,
    )
    return np.ascontiguousarray(resampled.numpy().T, dtype=np.float32)
