"""Decide all batches of an epoch before any audio is read.

The index knows every length, so batches are a pure function of (lengths, shards, seed, epoch):

1. shuffle the shards and take them in blocks of about `block_size` utterances;
2. sort each block by length (or shuffle it, for chunks that are all equally long, and put
   `utterances_per_speaker` of one speaker side by side);
3. cut each block into batches by *padded* samples, or by a fixed count;
4. shuffle the batches of each block.

A block is wide enough that the utterances of a batch are almost equally long (padding well under
1 %), and narrow enough that reads stay close together. Batch `n` of epoch `e` is the same batch
whatever the number of workers and processes, so a run resumes exactly. Every epoch has the same
number of batches (see `num_batches_per_epoch`), so the place of step `n` needs no walk through
earlier epochs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from duovox.data.plan.batching import Batching, Rows
from duovox.data.plan.generator import generator_for
from duovox.data.plan.speaker_runs import in_runs

# How many epochs are planned to learn how many batches they need: 20, or fewer for large data sets.
_MAX_TRIED, _MAX_TRIED_UTTERANCES = 20, 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The batches of one epoch, as rows of the index."""

    rows: Rows  # every planned row, batch after batch
    sizes: Rows  # utterances of each batch
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
    speakers: Rows | None = None,
    num_batches: int | None = None,
) -> Plan:
    """Return the shuffled batches of one epoch; no row comes twice.

    Args:
        num_samples: (N,) length of each utterance, at least 1.
        shards: (N,) number of the shard that holds each utterance.
        speakers: (N,) number of the speaker of each utterance, for `utterances_per_speaker`.
        num_batches: exactly so many batches: the largest are split in two, or, when there are too
            many already, the last ones are left out. None: as many as there are.

    Raises:
        ValueError: there is no utterance, or one alone exceeds `max_padded_samples`.
    """
    _check(num_samples, batching)
    generator = generator_for("plan", seed, epoch)
    rows, sizes = [], []
    for block in _blocks(shards, batching, generator):
        ordered, cut = _cut(block, num_samples, speakers, batching, generator)
        order = generator.permutation(len(cut))
        rows.append(_reorder(ordered, cut, order))
        sizes.append(cut[order])
    return _with_count(np.concatenate(rows), np.concatenate(sizes), num_batches)


def plan_once(num_samples: Rows, *, batching: Batching) -> Plan:
    """Return the batches of an evaluation: every utterance exactly once, from long to short.

    The longest batch comes first, so that a lack of memory shows at once. A row whose length
    exceeds `max_padded_samples` makes a batch of its own: evaluation leaves nothing out.
    """
    rows = np.argsort(-num_samples, kind="stable")
    return _with_count(rows, _sizes(num_samples[rows], batching), None)


def num_batches_per_epoch(
    lengths_of: Callable[[int], Rows], shards: Rows, *, batching: Batching, seed: int
) -> int:
    """Return a number of batches that suits every epoch, given the lengths (N,) in each epoch.

    Cut by padded samples, epochs differ by a few batches. This is the most that the first epochs
    need, and one more per further block; `plan` reaches it by splitting the largest batches. Should
    an epoch need more all the same, its last batch is left out that time.
    """
    if batching.batch_size is not None:
        return len(plan(lengths_of(0), shards, batching=batching, seed=seed, epoch=0))
    num_epochs = min(_MAX_TRIED, max(1, _MAX_TRIED_UTTERANCES // len(shards)))
    most = max(
        len(plan(lengths_of(epoch), shards, batching=batching, seed=seed, epoch=epoch))
        for epoch in range(num_epochs)
    )
    num_blocks = -(-len(shards) // batching.block_size)
    return min(len(shards), most + num_blocks - 1)


def too_long(num_samples: Rows, batching: Batching) -> Rows:
    """Return the rows that exceed the budget of a batch alone."""
    if batching.max_padded_samples is None:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(num_samples > batching.max_padded_samples)


def _check(num_samples: Rows, batching: Batching) -> None:
    if not len(num_samples):
        raise ValueError("there is no utterance to plan batches for")
    if len(rows := too_long(num_samples, batching)):
        raise ValueError(
            f"utterance {rows[0]} has {num_samples[rows[0]]} samples, more than a whole batch may "
            f"have (max_padded_samples={batching.max_padded_samples}); {len(rows)} are that long"
        )


def _blocks(shards: Rows, batching: Batching, generator: np.random.Generator) -> list[Rows]:
    """Shuffle the shards and the rows within them; return blocks of about equal size.

    Blocks may end within a shard. With a fixed count they hold whole batches, save the last.
    """
    rank = generator.permutation(int(shards.max()) + 1)
    shuffled = generator.permutation(len(shards))
    rows = shuffled[np.argsort(rank[shards[shuffled]], kind="stable")]
    num_blocks = -(-len(rows) // batching.block_size)
    multiple = batching.batch_size or 1
    size = -(-len(rows) // (num_blocks * multiple)) * multiple
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _cut(
    block: Rows,
    num_samples: Rows,
    speakers: Rows | None,
    batching: Batching,
    generator: np.random.Generator,
) -> tuple[Rows, Rows]:
    """Return the rows of a block in the order of its batches, and the size of each batch."""
    if speakers is not None and batching.utterances_per_speaker > 1:
        length = batching.utterances_per_speaker
        ordered = in_runs(block, speakers, length=length, generator=generator)
        return ordered, _sizes(num_samples[block], batching)
    if batching.order == "random":
        return generator.permutation(block), _sizes(num_samples[block], batching)
    lengths = num_samples[block]
    order = np.argsort(-lengths * (1 + batching.length_jitter * generator.random(len(block))))
    return block[order], _sizes(lengths[order], batching)


def _sizes(lengths: Rows, batching: Batching) -> Rows:
    """Cut lengths, in this order, into batches: within the budget, or of the fixed count."""
    if batching.batch_size is not None:
        num_whole, rest = divmod(len(lengths), batching.batch_size)
        return np.array([batching.batch_size] * num_whole + [rest] * (rest > 0), dtype=np.int64)
    assert batching.max_padded_samples is not None
    sizes, size, longest = [], 0, 0
    for length in lengths.tolist():
        longest = max(longest, length)
        if size and (size + 1) * longest > batching.max_padded_samples:
            sizes.append(size)
            size, longest = 0, length
        size += 1
    return np.array([*sizes, size], dtype=np.int64)


def _reorder(rows: Rows, sizes: Rows, order: Rows) -> Rows:
    """Return rows, batch after batch, with the batches in another order."""
    starts = np.cumsum(sizes) - sizes
    new_sizes = sizes[order]
    new_starts = np.cumsum(new_sizes) - new_sizes
    return rows[np.repeat(starts[order] - new_starts, new_sizes) + np.arange(len(rows))]


def _with_count(rows: Rows, sizes: Rows, num_batches: int | None) -> Plan:
    """Split the largest batches, or leave the last ones out, until there are `num_batches`."""
    wanted = len(sizes) if num_batches is None else num_batches
    while len(sizes) < wanted and sizes.max() > 1:
        halved = np.argsort(-sizes, kind="stable")[: wanted - len(sizes)]
        halved = np.sort(halved[sizes[halved] > 1])
        halves = sizes[halved] // 2
        sizes[halved] -= halves
        sizes = np.insert(sizes, halved + 1, halves)
    sizes = sizes[:wanted]
    return Plan(rows=rows[: sizes.sum()], sizes=sizes)
