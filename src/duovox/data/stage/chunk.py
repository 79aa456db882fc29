"""Choose the part of an utterance that is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRule:
    """How long chunks are and where they start."""

    num_samples: int  # of a chunk; shorter utterances are used whole
    start: Literal["first", "random"] = "random"

    def __post_init__(self) -> None:
        if self.num_samples < 1:
            raise ValueError(f"a chunk must have at least 1 sample, got {self.num_samples}")


def choose_chunk(
    num_samples: int, rule: ChunkRule, generator: np.random.Generator
) -> tuple[int, int]:
    """Return (start, length) of a chunk of an utterance of `num_samples`.

    A random start is drawn evenly from all starts that leave a full chunk, the last one included.
    """
    last_start = max(0, num_samples - rule.num_samples)
    start = int(generator.integers(last_start + 1)) if rule.start == "random" else 0
    return start, min(rule.num_samples, num_samples)
