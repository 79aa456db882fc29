"""The speech task's batches: utterances and their transcripts, ready for training or evaluation."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from duovox.batch import SpeechBatch
from duovox.data.dataset.index import Index
from duovox.data.frames import WAV2VEC2, Frames
from duovox.data.plan.batching import Batching
from duovox.data.source.collate import pad_tokens, pad_waves
from duovox.data.source.selection import Limits, check_unique_keys, refuse, select
from duovox.data.source.transcript import (
    UnknownCharacters,
    check_references,
    find_unknown,
    find_unlearnable,
)
from duovox.data.tokenizer import Tokenizer
from duovox.data.wave.batch import WaveBatches, Waves
from duovox.data.wave.evaluation import EvaluationWaves
from duovox.data.wave.preparation import Preparation
from duovox.data.wave.training import TrainingWaves


class SpeechSource:
    """Batches of utterances with their transcripts.

    Attributes:
        num_batches: Of every epoch, over all replicas.
        num_utterances: That an epoch goes through.
        dropped: Keys that the index alone shows to be unusable, by cause.
        waves: The batches before they are labelled.
    """

    def __init__(
        self, waves: WaveBatches, tokenizer: Tokenizer, dropped: dict[str, list[str]]
    ) -> None:
        self.num_batches = waves.num_batches
        self.num_utterances = len(waves.index)
        self.dropped = dropped
        self.waves = waves
        self._tokenizer = tokenizer
        self._transcripts = waves.index.transcript
        self._keys = waves.index.key

    @classmethod
    def for_training(
        cls,
        index: Index,
        tokenizer: Tokenizer,
        *,
        batching: Batching,
        seed: int,
        preparation: Preparation,
        limits: Limits,
        unknown_characters: UnknownCharacters = "error",
        needs_speaker: bool = False,
    ) -> Self:
        """Make endless shuffled epochs of what CTC can learn from.

        Args:
            unknown_characters: "error", or "drop" the utterances that hold some.
            needs_speaker: leave out utterances whose speaker the index does not name.

        Raises:
            ValueError: repeated keys, unknown characters, or no utterance that can be used.
        """
        check_unique_keys(index)
        fastest = max(preparation.speed.factors)
        faults = limits.faults(index, fastest=fastest)
        faults["unknown characters"] = find_unknown(index, tokenizer, unknown_characters)
        faults |= find_unlearnable(index, tokenizer, fastest=fastest, frames=limits.frames)
        if needs_speaker:
            faults["no speaker"] = np.array([not speaker for speaker in index.speaker_id])
        kept, dropped = select(index, faults)
        waves = TrainingWaves(
            kept, batching=batching, preparation=preparation, seed=seed, purpose="speech"
        )
        return cls(waves, tokenizer, dropped)

    @classmethod
    def for_evaluation(
        cls,
        index: Index,
        tokenizer: Tokenizer,
        *,
        batching: Batching,
        normalize: Literal["chunk", "none"] = "chunk",
        unknown_characters: UnknownCharacters = "error",
        frames: Frames = WAV2VEC2,
    ) -> Self:
        """Make one pass in which every utterance comes exactly once.

        Args:
            unknown_characters: "drop" leaves them out of the tokens, which only the loss sees; the
                utterance and its transcript stay.

        Raises:
            ValueError: repeated keys, unknown characters, utterances too short for a frame, or no
                transcript at all.
        """
        check_unique_keys(index)
        refuse(index, Limits(frames=frames).faults(index))
        find_unknown(index, tokenizer, unknown_characters)
        check_references(index, tokenizer)
        waves = EvaluationWaves(index, batching=batching, normalize=normalize)
        return cls(waves, tokenizer, {})

    def batch(self, epoch: int, number: int) -> SpeechBatch:
        """Return batch `number` of an epoch."""
        return self.label(self.waves.batch(epoch, number))

    def label(self, batch: Waves) -> SpeechBatch:
        """Return waves of this source with their transcripts."""
        transcripts = tuple(self._transcripts[row] for row in batch.rows)
        waves, num_samples = pad_waves(batch.waves)
        tokens, num_tokens = pad_tokens(
            [self._tokenizer.encode_known(transcript) for transcript in transcripts]
        )
        return SpeechBatch(
            keys=tuple(self._keys[row] for row in batch.rows),
            waves=waves,
            num_samples=num_samples,
            tokens=tokens,
            num_tokens=num_tokens,
            transcripts=transcripts,
            bad_utterances=batch.bad_utterances,
        )
