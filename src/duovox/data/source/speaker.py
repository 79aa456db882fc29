"""The speaker task's batches: chunks or utterances and who speaks, for training or evaluation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray

from duovox.batch import SpeakerBatch
from duovox.data.dataset.index import Index
from duovox.data.frames import WAV2VEC2, Frames
from duovox.data.listing import listing
from duovox.data.plan.batching import Batching
from duovox.data.source.collate import pad_waves
from duovox.data.source.selection import Limits, check_unique_keys, refuse, select
from duovox.data.wave.batch import WaveBatches
from duovox.data.wave.evaluation import EvaluationWaves
from duovox.data.wave.preparation import Preparation
from duovox.data.wave.training import TrainingWaves


class SpeakerSource:
    """Batches of chunks, or whole utterances, with their speakers.

    Attributes:
        num_batches: Of every epoch, over all replicas.
        num_utterances: That an epoch goes through.
        num_classes: Speakers, times the speed factors where each makes a new speaker.
        dropped: Keys that the index alone shows to be unusable, by cause.
    """

    def __init__(
        self,
        waves: WaveBatches,
        speakers: Sequence[str],
        dropped: dict[str, list[str]],
        *,
        num_voices: int = 1,
    ) -> None:
        self.num_batches = waves.num_batches
        self.num_utterances = len(waves.index)
        self.num_classes = len(speakers) * num_voices
        self.dropped = dropped
        self._waves = waves
        self._num_speakers = len(speakers)
        self._num_voices = num_voices
        self._speaker_ids = speaker_classes(waves.index, speakers)  # (N,)
        self._keys = waves.index.key

    @classmethod
    def for_training(
        cls,
        index: Index,
        speakers: Sequence[str],
        *,
        batching: Batching,
        seed: int,
        preparation: Preparation,
        limits: Limits,
        speeds_are_speakers: bool = False,
    ) -> Self:
        """Make endless shuffled epochs.

        Args:
            speakers: Ids of the training speakers; their order numbers the classes.
            speeds_are_speakers: At another speed a speaker counts as someone else: class
                `speaker + len(speakers) * position of the factor`; speed 1 keeps the plain numbers.

        Raises:
            ValueError: repeated keys, a speaker that is not in `speakers`, no utterance to use, or
                speeds that make speakers without speed 1 among them.
        """
        check_unique_keys(index)
        factors = preparation.speed.factors
        if speeds_are_speakers and factors[0] != 1:
            raise ValueError(f"speeds_are_speakers needs 1.0 among the speeds, got {list(factors)}")
        faults = limits.faults(index, fastest=max(factors))
        faults["no speaker"] = np.array([not speaker for speaker in index.speaker_id])
        kept, dropped = select(index, faults)
        if unknown := sorted(set(kept.speaker_id) - set(speakers)):
            raise ValueError(f"{len(unknown)} speakers are no training speakers:{listing(unknown)}")
        waves = TrainingWaves(
            kept, batching=batching, preparation=preparation, seed=seed, purpose="speaker"
        )
        num_voices = len(factors) if speeds_are_speakers else 1
        return cls(waves, speakers, dropped, num_voices=num_voices)

    @classmethod
    def for_evaluation(
        cls,
        index: Index,
        speakers: Sequence[str],
        *,
        batching: Batching,
        chunk_samples: int | None = None,
        normalize: Literal["chunk", "utterance", "none"] = "chunk",
        frames: Frames = WAV2VEC2,
    ) -> Self:
        """Make one pass in which every utterance comes exactly once; unknown speakers get class -1.

        Raises:
            ValueError: repeated keys, or utterances too short for a frame.
        """
        check_unique_keys(index)
        refuse(index, Limits(frames=frames).faults(index))
        waves = EvaluationWaves(
            index, batching=batching, chunk_samples=chunk_samples, normalize=normalize
        )
        return cls(waves, speakers, {})

    def batch(self, epoch: int, number: int) -> SpeakerBatch:
        """Return batch `number` of an epoch."""
        batch = self._waves.batch(epoch, number)
        speaker_ids = self._speaker_ids[batch.rows]  # (B,)
        if self._num_voices > 1:
            speaker_ids = speaker_ids + self._num_speakers * batch.speeds
        waves, num_samples = pad_waves(batch.waves)
        return SpeakerBatch(
            keys=tuple(self._keys[row] for row in batch.rows),
            waves=waves,
            num_samples=num_samples,
            speaker_ids=torch.from_numpy(speaker_ids),
            bad_utterances=batch.bad_utterances,
        )


def training_speakers(index: Index) -> tuple[str, ...]:
    """Return the sorted ids of all speakers of an index: the classes of a training set."""
    return tuple(sorted(set(index.speaker_id) - {""}))


def speaker_classes(index: Index, speakers: Sequence[str]) -> NDArray[np.int64]:
    """Return the class (N,) of each utterance's speaker: a place in `speakers`, -1 for others."""
    numbers = {speaker: number for number, speaker in enumerate(speakers)}
    return np.array([numbers.get(speaker, -1) for speaker in index.speaker_id], dtype=np.int64)
