"""Decide all batches of an epoch before any audio is read.

The index knows every length, so batches are a pure function of (lengths, shards, seed, epoch):

1. shuffle the shards and take them in blocks of about `block_size` utterances;
2. sort each block by length (or shuffle it, for chunks that are all equally long);
3. cut each block into batches by *padded* samples, or by a fixed count;
4. shuffle the batches of each block.

A block is wide enough that the utterances of a batch are almost equally long (padding well under
1 %), and narrow enough that reads stay close together. Batch `n` of epoch `e` is the same batch
whatever the number of workers and processes, so a run resumes exactly. Every epoch has the same
number of batches (see `num_batches_per_epoch`), so the place of step `n` needs no walk through
earlier epochs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from duovox.data.generator import generator_for

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How an epoch is cut into batches: by padded samples or by count, never both."""

    max_padded_samples: int | None = None  # utterances times the longest of them
    batch_size: int | None = None  # utterances
    order: Literal["length", "random"] = "length"  # random: for chunks that are equally long
    block_size: int = 10_000  # utterances that are sorted or shuffled together
    length_jitter: float = 0.005  # lengths grow by up to this share before sorting: new batches

    def __post_init__(self) -> None:
        if (self.max_padded_samples is None) == (self.batch_size is None):
            raise ValueError(
                "give either max_padded_samples or batch_size, got "
                f"max_padded_samples={self.max_padded_samples}, batch_size={self.batch_size}"
            )
        if self.order == "random" and self.batch_size is None:
            raise ValueError("order=random needs batch_size: padding has no bound without sorting")
        for name in ("max_padded_samples", "batch_size", "block_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if self.length_jitter < 0:
            raise ValueError(f"length_jitter must not be negative, got {self.length_jitter}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The batches of one epoch, as rows of the index."""

    rows: Rows  # every planned row, batch after batch
    sizes: Rows  # utterances of each batch
    left_out: Rows  # rows that no batch of this epoch holds
    _ends: Rows = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_ends", np.cumsum(self.sizes))

    def __len__(self) -> int:
        return len(self.sizes)

    def batch(self, number: int) -> Rows:
        """Return the rows of batch `number`."""
        end = self._ends[number]
        return self.rows[end - self.sizes[number] : end]

    def padding(self, num_samples: Rows) -> float:
        """Return the share of padding among all samples of the batches, 0 to 1."""
        lengths = num_samples[self.rows]
        longest = np.maximum.reduceat(lengths, self._ends - self.sizes)
        return 1 - float(lengths.sum() / (longest * self.sizes).sum())


def plan(
    num_samples: Rows,
    shards: Rows,
    *,
    batching: Batching,
    seed: int,
    epoch: int,
    num_batches: int | None = None,
) -> Plan:
    """Return the shuffled batches of one epoch; no row comes twice.

    Args:
        num_samples: (N,) length of each utterance, at least 1.
        shards: (N,) number of the shard that holds each utterance.
        num_batches: exactly so many batches: the largest are split in two, or, when there are too
            many already, the last ones are left out and listed. None: as many as there are.

    Raises:
        ValueError: there is no utterance, or one alone exceeds `max_padded_samples`.
    """
    _check(num_samples, batching)
    generator = generator_for("plan", seed, epoch)
    rows, sizes = [], []
    for block in _blocks(shards, batching, generator):
        ordered, cut = _cut(block, num_samples, batching, generator)
        shuffled = generator.permutation(len(cut))
        if _num_whole(cut) < len(cut) == 1:
            shuffled = np.zeros(1, dtype=np.int64)
        rows.append(_reorder(ordered, cut, shuffled))
        sizes.append(cut[shuffled])
    return _with_count(np.concatenate(rows), np.concatenate(sizes), num_batches)
