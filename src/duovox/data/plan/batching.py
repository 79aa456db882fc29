"""The settings of a plan: how an epoch is cut into batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]  # numbers of rows of the index, or what is known of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How an epoch is cut into batches: by padded samples or by count, never both."""

    max_padded_samples: int | None = None  # utterances times the longest of them
    batch_size: int | None = None  # utterances
    order: Literal["length", "random"] = "length"  # random: for chunks that are equally long
    block_size: int = 10_000  # utterances that are sorted or shuffled together
    utterances_per_speaker: int = 1  # side by side in a batch, as far as a block has them
    length_jitter: float = 0.005  # lengths grow by up to this share before sorting: new batches

    def __post_init__(self) -> None:
        if (self.max_padded_samples is None) == (self.batch_size is None):
            raise ValueError(
                "give either max_padded_samples or batch_size, got "
                f"max_padded_samples={self.max_padded_samples}, batch_size={self.batch_size}"
            )
        if self.order == "random" and self.batch_size is None:
            raise ValueError("order=random needs batch_size: padding has no bound without sorting")
        if self.utterances_per_speaker > 1 and self.order != "random":
            raise ValueError("utterances_per_speaker needs order=random: lengths order the others")
        for name in (
            "max_padded_samples",
            "batch_size",
            "block_size",
            "utterances_per_speaker",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if self.length_jitter < 0:
            raise ValueError(f"length_jitter must not be negative, got {self.length_jitter}")
