"""The waves of one batch, before a task adds its targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from duovox.batch import BadUtterance
from duovox.data.dataset.index import Index
from duovox.data.plan.batching import Rows
from duovox.data.stage import Wave


@dataclass(frozen=True, slots=True, kw_only=True)
class Waves:
    """The waves of one batch, and what had to be left out of it."""

    rows: Rows  # (B,) rows of the index
    waves: tuple[Wave, ...]  # B waves, (S,) each
    speeds: NDArray[np.int64]  # (B,) choices among the speed factors
    bad_utterances: tuple[BadUtterance, ...] = ()


class WaveBatches(Protocol):
    """Planned batches of waves: for training or for evaluation."""

    index: Index
    num_batches: int  # of every epoch

    def batch(self, epoch: int, number: int) -> Waves:
        """Return batch `number`, from 0 to num_batches - 1, of an epoch."""
        ...
