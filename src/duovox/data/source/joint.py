"""Batches with both labels: what is said and who says it, in the same utterances."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from duovox.batch import JointBatch
from duovox.data.listing import listing
from duovox.data.source.speaker import speaker_classes
from duovox.data.source.speech import SpeechSource


class JointSource:
    """The batches of a speech source, with the speakers of their utterances.

    Args:
        speech: made for training with `needs_speaker`.
        speakers: ids of the training speakers; their order numbers the classes.
        num_voices: speed factors, where a speaker counts as someone else at each; 1 where not.
            Classes are then `speaker + len(speakers) * position of the factor`.

    Attributes:
        num_batches: Of every epoch, over all replicas.
        num_utterances: That an epoch goes through.
        num_classes: Speakers, times the voices.
        dropped: Keys that the index alone shows to be unusable, by cause.

    Raises:
        ValueError: a speaker that is not in `speakers`.
    """

    def __init__(
        self, speech: SpeechSource, speakers: Sequence[str], *, num_voices: int = 1
    ) -> None:
        self.num_batches = speech.num_batches
        self.num_utterances = speech.num_utterances
        self.num_classes = len(speakers) * num_voices
        self.dropped = speech.dropped
        self._speech = speech
        self._num_speakers = len(speakers)
        self._num_voices = num_voices
        index = speech.waves.index
        self._classes = speaker_classes(index, speakers)  # (N,)
        if unknown := sorted(set(index.speaker_id) - set(speakers)):
            raise ValueError(f"{len(unknown)} speakers are no training speakers:{listing(unknown)}")

    def batch(self, epoch: int, number: int) -> JointBatch:
        """Return batch `number` of an epoch."""
        waves = self._speech.waves.batch(epoch, number)
        classes = self._classes[waves.rows]  # (B,)
        if self._num_voices > 1:
            classes = classes + self._num_speakers * waves.speeds
        return JointBatch(speech=self._speech.label(waves), speaker_ids=torch.from_numpy(classes))
