"""Stages: what happens to a wave between the shard and the batch.

In order: `chunk` says which part is decoded, `speed` changes its tempo and pitch, then come the
augmentations, then normalisation. For pre-training, `span_mask` then chooses the frames to hide,
and `negatives` the other hidden frames that each is to be told from.

An augmentation takes a wave and a generator, and returns a new wave of the same length:

    class Louder:
        def __call__(self, wave, generator):
            return wave * generator.uniform(1.0, 2.0)

To add one: write it into a file of its own here, and add a line to `AUGMENTATIONS` in
`tests/data/stage/test_augmentation.py`, which checks what all of them share: the same generator
gives the same wave, length and type stay, the input is left alone.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Wave = NDArray[np.float32]  # (S,) mono, 16 kHz


class Augmentation(Protocol):
    """A random change of a wave that leaves words and speaker recognisable."""

    def __call__(self, wave: Wave, generator: np.random.Generator) -> Wave:
        """Return a new wave (S,) as long as `wave` (S,); all chance comes from `generator`."""
        ...
