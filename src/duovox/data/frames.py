"""How many frames the wav2vec 2.0 feature encoder makes of a wave."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MIN_SAMPLES = 400  # the receptive field: fewer samples give no frame
_KERNELS_AND_STRIDES = ((10, 5), (3, 2), (3, 2), (3, 2), (3, 2), (2, 2), (2, 2))


def count_frames(num_samples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of frames of waves of `num_samples`: 400 give 1, 16 000 (one second) 49.

    Source: wav2vec 2.0 (Baevski et al., 2020), section 4.2: kernels and strides.
    """
    frames = num_samples
    for kernel, stride in _KERNELS_AND_STRIDES:
        frames = np.maximum((frames - kernel) // stride + 1, 0)
    return frames
