"""Batches of waves for evaluation: every utterance exactly once, or an error."""

from __future__ import annotations

from typing import Literal

import numpy as np

from duovox.data.dataset.index import Index
from duovox.data.plan.batching import Batching
from duovox.data.plan.epoch import plan_once
from duovox.data.stage import Wave
from duovox.data.stage.chunk import ChunkRule
from duovox.data.wave.batch import Waves
from duovox.data.wave.preparation import Preparation
from duovox.data.wave.reader import BadAudioError, WaveReader


class EvaluationWaves:
    """Batches from long to short utterances; nothing is skipped, silence included.

    Args:
        chunk_samples: Only the first so many samples of each utterance; None: all.
    """

    def __init__(
        self,
        index: Index,
        *,
        batching: Batching,
        chunk_samples: int | None = None,
        normalize: Literal["chunk", "utterance", "none"] = "chunk",
    ) -> None:
        chunk = None
        if chunk_samples is not None:
            chunk = ChunkRule(num_samples=chunk_samples, start="first")
        self.index = index
        self._preparation = Preparation(chunk=chunk, normalize=normalize)
        self._reader = WaveReader(index, refuse_silence=False)
        self._generator = np.random.default_rng(0)  # never drawn from: chunks are the first ones
        speeds = np.zeros(len(index), dtype=np.int64)
        self._plan = plan_once(
            self._preparation.lengths(index.num_samples, speeds), batching=batching
        )
        self.num_batches = len(self._plan)

    def batch(self, epoch: int, number: int) -> Waves:
        """Return batch `number`; all epochs are alike.

        Raises:
            ValueError: an utterance cannot be read; the message names its shard and key.
        """
        rows = self._plan.batch(number)
        try:
            waves = tuple(self._prepare(row) for row in rows.tolist())
        except BadAudioError as error:
            raise ValueError(str(error)) from None  # a plain one survives the way out of a worker
        return Waves(rows=rows, waves=waves, speeds=np.zeros_like(rows))

    def _prepare(self, row: int) -> Wave:
        return self._preparation.prepare(
            self._reader,
            row,
            num_samples=int(self.index.num_samples[row]),
            speed=0,
            generator=self._generator,
        )
