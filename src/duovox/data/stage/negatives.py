"""Draw the masked frames that the true one must be told from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_MASKED = 2  # an utterance with fewer masked frames has no negative


def draw_negatives(
    num_masked: int, num_negatives: int, *, generator: np.random.Generator
) -> NDArray[np.int32]:
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
    dtype = np.dtype("u2" if num_masked <= 1 << 16 else "u4")  # 16 bits are drawn twice as fast
    shape = (num_masked, num_negatives)
    drawn: NDArray[np.unsignedinteger] = generator.integers(num_masked - 1, size=shape, dtype=dtype)
    itself = np.arange(num_masked, dtype=dtype)[:, None]
    drawn += drawn >= itself  # steps over itself
    return drawn.astype(np.int32)
