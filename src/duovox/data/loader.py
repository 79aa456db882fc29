"""Loaders: worker processes that compute numbered batches, in order.

A training stream is endless, and batch `n` of it is a pure function of `n`: it is the same for any
number of workers, and a run that stopped after `n` batches goes on with `start_batch=n`. With R
replicas, replica r gets the batches r, r + R, r + 2R, ... of the one stream: all have something to
do at every step, whatever the shards look like.

Each worker uses one thread and holds two batches ready, as is torch's default.
Lightning must be told `use_distributed_sampler=False`: the replicas are shared out here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from duovox.batch import JointBatch, MultiTaskBatch, TaskBatch, TrainingBatch
from duovox.data.worker import init_worker


class Source(Protocol):
    """Numbered batches: a `SpeechSource`, `SpeakerSource`, `JointSource` or `SslSource`.

    It is all that a worker needs. A batch depends on nothing but its epoch, its number and the
    settings, so that any process may compute any batch.
    """

    num_batches: int  # of every epoch

    def batch(self, epoch: int, number: int) -> TaskBatch | JointBatch:
        """Return batch `number` of an epoch."""
        ...


def training_loader(
    sources: Mapping[str, Source],
    *,
    start_batch: int = 0,
    num_workers: int,
    num_replicas: int = 1,
    replica: int = 0,
    pin_memory: bool = False,
) -> DataLoader[TrainingBatch]:
    """Return an endless loader of the batches of one task, or of `MultiTaskBatch` for two.

    Args:
        sources: "speech", "speaker" or both, or one of "joint" and "ssl"; each goes through its own
            endless epochs.
        start_batch: Number of batches that this replica has had before.
    """
    is_alone = set(sources) in ({"ssl"}, {"joint"})
    if not sources or (not is_alone and set(sources) - {"speech", "speaker"}):
        raise ValueError(
            "sources must be of speech, speaker or both, or one of joint and ssl, got "
            f"{sorted(sources)}"
        )
    numbers = _Numbers(start_batch, num_replicas, replica)
    return _loader(_TrainingStream(dict(sources)), numbers, num_workers, pin_memory=pin_memory)


def evaluation_loader(
    source: Source,
    *,
    num_workers: int,
    num_replicas: int = 1,
    replica: int = 0,
    pin_memory: bool = False,
) -> DataLoader[TrainingBatch]:
    """Return a loader that goes once through a source made for evaluation.

    The replicas get disjoint parts, which differ by one batch at most: nothing is repeated or left
    out to make them equal, so gather counts and do not wait for each other within the pass.
    """
    numbers = range(replica, source.num_batches, num_replicas)
    return _loader(_EvaluationStream(source), numbers, num_workers, pin_memory=pin_memory)


class _TrainingStream(Dataset[TrainingBatch]):
    """Batch `number` of the endless stream."""

    def __init__(self, sources: dict[str, Source]) -> None:
        self._sources = sources

    def __getitem__(self, number: int) -> TrainingBatch:
        batches: dict[str, Any] = {
            task: source.batch(*divmod(number, source.num_batches))
            for task, source in self._sources.items()
        }
        return MultiTaskBatch(**batches) if len(batches) > 1 else next(iter(batches.values()))


class _EvaluationStream(Dataset[TrainingBatch]):
    def __init__(self, source: Source) -> None:
        self._source = source

    def __getitem__(self, number: int) -> TrainingBatch:
        return self._source.batch(0, number)


class _Numbers(Sampler[int]):
    """The numbers of a replica's batches, without end."""

    def __init__(self, start_batch: int, num_replicas: int, replica: int) -> None:
        if not 0 <= replica < num_replicas:
            raise ValueError(f"replica must lie in [0, {num_replicas}), got {replica}")
        self._start = start_batch * num_replicas + replica
        self._step = num_replicas

    def __iter__(self) -> Iterator[int]:
        return count(self._start, self._step)


def _loader(
    dataset: Dataset[TrainingBatch], numbers: Any, num_workers: int, *, pin_memory: bool
) -> DataLoader[TrainingBatch]:
    return DataLoader(
        dataset,
        batch_size=None,
        sampler=numbers,
        num_workers=num_workers,
        pin_memory=pin_memory,
        worker_init_fn=init_worker,
        # Its own generator: the loader would else draw from the global one, and shift what a
        # resumed run draws from there.
        generator=torch.Generator().manual_seed(0),
    )
