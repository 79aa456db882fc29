"""Play an utterance faster or slower, which changes its pitch as well.

The factors of an epoch are drawn before its batches are planned, because they change lengths: so a
batch never exceeds its budget and padding stays small.

Source: Ko et al., "Audio augmentation for speech recognition" (2015); as new speakers: Yamamoto et
al., "Speaker augmentation and bandwidth extension for deep speaker embedding" (2019).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from duovox.audio.decode import SAMPLE_RATE
from duovox.audio.resample import resample
from duovox.data.stage import Wave

_MIN_FACTOR, _MAX_FACTOR = 0.5, 2.0


class SpeedPerturbation:
    """Speed factors that are drawn with equal chance: 1.1 is a tenth faster.

    Attributes:
        factors: The one nearest to 1 comes first.

    Raises:
        ValueError: a factor outside [0.5, 2], listed twice, or with more than two decimals.
    """

    def __init__(self, factors: Sequence[float] = (1.0,)) -> None:
        if not factors or len(set(factors)) < len(factors):
            raise ValueError(f"speed factors must be given, each once, got {list(factors)}")
        for factor in factors:
            if not _MIN_FACTOR <= factor <= _MAX_FACTOR:
                raise ValueError(
                    f"speed factors must lie in [{_MIN_FACTOR}, {_MAX_FACTOR}], got {factor}"
                )
            if abs(factor * 100 - round(factor * 100)) > 1e-9:
                raise ValueError(f"speed factors must have at most two decimals, got {factor}")
        self.factors = tuple(sorted(map(float, factors), key=lambda factor: abs(factor - 1)))
        # The sample rates that the wave is taken to have before it is brought to ours.
        self._rates: NDArray[np.int64] = np.array(
            [round(f * 100) * SAMPLE_RATE // 100 for f in self.factors]
        )

    def draw(self, num_utterances: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Return (N,) positions in `factors`, one for each utterance."""
        return generator.integers(len(self.factors), size=num_utterances)

    def lengths(
        self, num_samples: NDArray[np.int64], choice: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return (N,) lengths after the change; exact, so that batches can be planned with them."""
        rates = self._rates[choice]
        return -(-num_samples * SAMPLE_RATE // rates)

    def num_source_samples(self, num_samples: int, choice: int) -> int:
        """Return how many samples to take so that at least `num_samples` come out."""
        return -(-num_samples * int(self._rates[choice]) // SAMPLE_RATE)

    def __call__(self, wave: Wave, choice: int) -> Wave:
        """Return the wave at the chosen speed."""
        return resample(wave, int(self._rates[choice]), SAMPLE_RATE)
