"""The pre-training task's batches: utterances, which of their frames are hidden, and negatives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from duovox.batch import BadUtterance, SslBatch
from duovox.data.dataset.index import Index
from duovox.data.frames import WAV2VEC2, Frames
from duovox.data.plan.batching import Batching, Rows
from duovox.data.plan.generator import generator_for
from duovox.data.source.collate import pad_waves
from duovox.data.source.selection import Limits, Mask, check_unique_keys, refuse, select
from duovox.data.stage import Wave
from duovox.data.stage.chunk import ChunkRule
from duovox.data.stage.masking import Masking, UnmaskableError
from duovox.data.stage.negatives import Places
from duovox.data.wave.batch import WaveBatches, Waves
from duovox.data.wave.evaluation import EvaluationWaves
from duovox.data.wave.preparation import Preparation
from duovox.data.wave.training import TrainingWaves

_MAX_EMPTY_BATCHES = 10  # in a row, before training gives up


class SslSource:
    """Batches of utterances, or chunks of them, with masks and negatives.

    Masks and negatives depend on the seed, the epoch, the batch and the place in it, so those of an
    evaluation are the same in every pass.

    Attributes:
        num_batches: Of every epoch, over all replicas.
        num_utterances: That an epoch goes through.
        dropped: Keys that the index alone shows to be unusable, by cause.
    """

    def __init__(
        self,
        waves: WaveBatches,
        masking: Masking,
        dropped: dict[str, list[str]],
        *,
        seed: int,
        leaves_out: bool,
        frames: Frames,
    ) -> None:
        self.num_batches = waves.num_batches
        self.num_utterances = len(waves.index)
        self.dropped = dropped
        self._waves = waves
        self._masking = masking
        self._seed = seed
        self._leaves_out = leaves_out
        self._frames = frames

    @classmethod
    def for_training(
        cls,
        index: Index,
        *,
        batching: Batching,
        seed: int,
        preparation: Preparation,
        limits: Limits,
        masking: Masking,
    ) -> Self:
        """Make endless shuffled epochs.

        Raises:
            ValueError: repeated keys, or no utterance that can be used.
        """
        check_unique_keys(index)
        too_short = _too_short(index.num_samples, preparation.chunk, masking, limits.frames)
        kept, dropped = select(index, limits.faults(index) | too_short)
        waves = TrainingWaves(
            kept, batching=batching, preparation=preparation, seed=seed, purpose="ssl"
        )
        return cls(waves, masking, dropped, seed=seed, leaves_out=True, frames=limits.frames)

    @classmethod
    def for_evaluation(
        cls,
        index: Index,
        *,
        batching: Batching,
        seed: int,
        masking: Masking,
        chunk_samples: int | None = None,
        normalize: Literal["chunk", "none"] = "chunk",
        frames: Frames = WAV2VEC2,
    ) -> Self:
        """Make one pass in which every utterance comes exactly once.

        Raises:
            ValueError: repeated keys, or utterances too short to be masked.
        """
        check_unique_keys(index)
        chunk = None if chunk_samples is None else ChunkRule(num_samples=chunk_samples)
        refuse(index, _too_short(index.num_samples, chunk, masking, frames))
        waves = EvaluationWaves(
            index, batching=batching, chunk_samples=chunk_samples, normalize=normalize
        )
        return cls(waves, masking, {}, seed=seed, leaves_out=False, frames=frames)

    def batch(self, epoch: int, number: int) -> SslBatch:
        """Return batch `number` of an epoch; in training, should none of it be masked, the next.

        Raises:
            ValueError: nothing in ten batches in a row can be masked; in an evaluation, one
                utterance can't.
        """
        bad: list[BadUtterance] = []
        for ahead in range(_MAX_EMPTY_BATCHES if self._leaves_out else 1):
            place = (number + ahead) % self.num_batches
            batch = self._waves.batch(epoch, place)
            hidden, unmasked = self._hide(batch, epoch, place)
            bad += [*batch.bad_utterances, *unmasked]
            if hidden and (self._leaves_out or not unmasked):
                return _collate(hidden, bad)
        raise ValueError(
            f"{bad[-1].key}: {bad[-1].cause}: {bad[-1].detail}; {len(bad)} utterances in a row "
            "can't be used. Change how much is masked (network.ssl_cfg.percentage_masked, "
            "mask_length, min_mask_spans)"
        )

    def _hide(
        self, batch: Waves, epoch: int, number: int
    ) -> tuple[list[_Hidden], list[BadUtterance]]:
        """Mask each wave of a batch; return those that could be, and what is wrong with others."""
        hidden, bad = [], []
        for position, (row, wave) in enumerate(zip(batch.rows.tolist(), batch.waves, strict=True)):
            key = self._waves.index.key[row]
            generator = generator_for("mask", self._seed, epoch, number, position)
            try:
                num_frames = int(self._frames.count(np.array(len(wave))))
                mask, negatives = self._masking.draw(num_frames, generator)
            except UnmaskableError as error:
                shard = str(self._waves.index.shards[self._waves.index.shard[row]])
                bad.append(
                    BadUtterance(key=key, shard=shard, cause="unmaskable", detail=str(error))
                )
                continue
            hidden.append(_Hidden(key=key, wave=wave, mask=mask, negatives=negatives))
        return hidden, bad


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hidden:
    """One utterance, partly hidden."""

    key: str
    wave: Wave  # (S,)
    mask: NDArray[np.bool_]  # (T,)
    negatives: Places  # (M, N)


def _collate(hidden: Sequence[_Hidden], bad: Sequence[BadUtterance]) -> SslBatch:
    waves, num_samples = pad_waves([one.wave for one in hidden])
    mask = np.zeros((len(hidden), max(len(one.mask) for one in hidden)), dtype=np.bool_)
    for row, one in zip(mask, hidden, strict=True):
        row[: len(one.mask)] = one.mask
    return SslBatch(
        keys=tuple(one.key for one in hidden),
        waves=waves,
        num_samples=num_samples,
        mask=torch.from_numpy(mask),
        num_masked=tuple(len(one.negatives) for one in hidden),
        negatives=torch.from_numpy(np.concatenate([one.negatives for one in hidden])),
        bad_utterances=tuple(bad),
    )


def _too_short(
    lengths: Rows, chunk: ChunkRule | None, masking: Masking, frames: Frames
) -> dict[str, Mask]:
    """Return the (N,) mask of the utterances, or chunks of them, that can't hold their spans."""
    heard = lengths if chunk is None else np.minimum(lengths, chunk.num_samples)
    cause = f"shorter than {masking.min_frames} frames"
    return {cause: frames.count(heard) < masking.min_frames}
