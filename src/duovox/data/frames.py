"""How many frames a feature encoder makes of a wave, from the sizes of its convolutions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """The convolutions of a feature encoder, as far as they decide how many frames it makes."""

    kernels: tuple[int, ...]
    strides: tuple[int, ...]
    paddings: tuple[int, ...]  # samples or frames of zeros at both ends of each input

    def count(self, num_samples: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of frames of waves of `num_samples`."""
        frames = num_samples
        for kernel, stride, padding in zip(self.kernels, self.strides, self.paddings, strict=True):
            frames = np.maximum((frames + 2 * padding - kernel) // stride + 1, 0)
        return frames

    @property
    def min_samples(self) -> int:
        """The receptive field of a frame: fewer samples give none."""
        samples = 1
        for kernel, stride in zip(reversed(self.kernels), reversed(self.strides), strict=True):
            samples = (samples - 1) * stride + kernel
        return samples


# Those of the published networks: 400 samples give 1 frame, 16,000 (one second) 49.
# Source: wav2vec 2.0 (Baevski et al., 2020), section 4.2: kernels and strides.
WAV2VEC2 = Frames(
    kernels=(10, 3, 3, 3, 3, 2, 2), strides=(5, 2, 2, 2, 2, 2, 2), paddings=(0, 0, 0, 0, 0, 0, 0)
)
MIN_SAMPLES = WAV2VEC2.min_samples
