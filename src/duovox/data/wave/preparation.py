"""From a row of the index to the wave that enters a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from duovox.audio.normalize import normalize
from duovox.data.plan.batching import Rows
from duovox.data.stage import Augmentation, Wave
from duovox.data.stage.chunk import ChunkRule, choose_chunk
from duovox.data.stage.speed import SpeedPerturbation
from duovox.data.wave.reader import WaveReader


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What happens to a wave: cut, change speed, augment, normalise, in this order.

    Normalised over the "chunk", only the chunk is decoded. The published recipe normalises over the
    whole "utterance" before it cuts, which decodes the rest as well.
    """

    chunk: ChunkRule | None = None  # None: whole utterances
    speed: SpeedPerturbation = field(default_factory=SpeedPerturbation)
    augmentations: tuple[Augmentation, ...] = ()
    normalize: Literal["chunk", "utterance", "none"] = "chunk"

    def lengths(self, num_samples: Rows, speeds: NDArray[np.int64]) -> Rows:
        """Return (N,) lengths of the prepared waves of utterances (N,) at the speeds drawn (N,)."""
        lengths = self.speed.lengths(num_samples, speeds)
        return lengths if self.chunk is None else np.minimum(lengths, self.chunk.num_samples)

    def prepare(
        self,
        reader: WaveReader,
        row: int,
        *,
        num_samples: int,
        speed: int,
        generator: np.random.Generator,
    ) -> Wave:
        """Return the prepared wave (S,) of a row of `num_samples`; `speed` is its drawn choice."""
        start, length = self._choose(num_samples, speed, generator)
        if self.normalize == "utterance":
            whole = normalize(reader.read(row, num_samples=num_samples))
            wave = whole[start : start + length]
        else:
            wave = reader.read(row, start=start, num_samples=length)
        wave = self.speed(wave, speed)
        if self.chunk is not None:
            wave = wave[: self.chunk.num_samples]  # the change of speed rounds up
        for augment in self.augmentations:
            wave = augment(wave, generator)
        return normalize(wave) if self.normalize == "chunk" else wave

    def _choose(
        self, num_samples: int, speed: int, generator: np.random.Generator
    ) -> tuple[int, int]:
        """Return the (start, length) that becomes a chunk once its speed has changed."""
        if self.chunk is None:
            return 0, num_samples
        needed = self.speed.num_source_samples(self.chunk.num_samples, speed)
        return choose_chunk(
            num_samples, ChunkRule(num_samples=needed, start=self.chunk.start), generator
        )
