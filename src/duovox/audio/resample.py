"""Change the sample rate of a wave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

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

    with _one_thread():
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


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread: several add in another order, and their last bits differ.

    So a wave is the same whether a worker process (one thread) or the main process computes it.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
