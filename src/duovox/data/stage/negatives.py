"""Draw the masked frames that the true one must be told from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.signedinteger]  # 16 bits where they do: half the time to draw and to carry
MIN_MASKED = 2  # an utterance with fewer masked frames has no negative


def draw_negatives(
    num_masked: int, num_negatives: int, *, generator: np.random.Generator
) -> Places:
    """Return (M, N) places among the M = `num_masked` masked frames of one utterance.

    Row m holds the negatives of masked frame m: even draws, with repeats, from all masked frames
    but itself.

    Raises:
        ValueError: fewer than two masked frames, or no negative asked for.

    Source: Baevski et al. 2020, "wav2vec 2.0", section 3.2.
    """
    if num_masked < MIN_MASKED:
        raise ValueError(
            f"an utterance needs at least {MIN_MASKED} masked frames to have negatives, got "
            f"{num_masked}: leave it out, or mask more of it"
        )
    if num_negatives < 1:
        raise ValueError(f"the number of negatives must be at least 1, got {num_negatives}")
    dtype = np.dtype(np.int16 if num_masked <= 1 << 15 else np.int32)
    shape = (num_masked, num_negatives)
    drawn: Places = generator.integers(num_masked - 1, size=shape, dtype=dtype)
    drawn += drawn >= np.arange(num_masked, dtype=dtype)[:, None]  # steps over the frame itself
    return drawn
