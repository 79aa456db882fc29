"""The frozen records that cross rooms, and the legend of their shapes.

Shapes everywhere in this package:
`B utterances, S samples, T frames, D frame width, E embedding width, V vocabulary, L tokens,
K speakers, G codebooks, M masked frames (of all utterances, one after the other), N negatives`.
Waves are float32, mono, 16 kHz. Lengths travel with their tensors.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Self

import torch
from torch import Tensor

SAMPLE_RATE = 16_000  # Hz, of every wave inside the package


@dataclass(frozen=True, slots=True, kw_only=True)
class BadUtterance:
    """An utterance that training left out, and why."""

    key: str
    shard: str
    cause: str  # one of a few short classes, for counting: "undecodable", "silence", ...
    detail: str  # the sentence for a person


class _Movable:
    """Move all tensors of a record; Lightning and the pinning thread look for these names."""

    __slots__ = ()

    def to(self, device: torch.device | str, non_blocking: bool = True) -> Self:
        """Return a copy whose tensors lie on `device`."""
        return self._map(lambda tensor: tensor.to(device, non_blocking=non_blocking))

    def pin_memory(self) -> Self:
        """Return a copy whose tensors lie in page-locked memory."""
        return self._map(lambda tensor: tensor.pin_memory())

    def _map(self, change: Any) -> Self:
        changes: dict[str, Any] = {}
        for field in fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if isinstance(value, Tensor):
                changes[field.name] = change(value)
            elif isinstance(value, _Movable):
                changes[field.name] = value._map(change)
        return replace(self, **changes)  # type: ignore[type-var]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechBatch(_Movable):
    """Padded utterances with their transcripts: what is said."""

    keys: tuple[str, ...]  # B utterance keys, for messages and result files
    waves: Tensor  # (B, S) float32, 16 kHz, zero padded
    num_samples: Tensor  # (B,) int64, true length of each wave
    tokens: Tensor  # (B, L) int64, padded with the blank id 0
    num_tokens: Tensor  # (B,) int64
    transcripts: tuple[str, ...]  # B reference texts
    bad_utterances: tuple[BadUtterance, ...] = ()  # left out of this batch

    def __post_init__(self) -> None:
        _check_waves(self.keys, self.waves, self.num_samples)
        _check_rows("tokens", self.tokens, len(self.keys), ndim=2)
        _check_rows("num_tokens", self.num_tokens, len(self.keys), ndim=1)
        _check_count("transcripts", self.transcripts, len(self.keys))

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def by_task(self) -> dict[str, TaskBatch]:
        """Return what each task learns from."""
        return {"speech": self}

    @property
    def parts(self) -> tuple[TaskBatch, ...]:
        """Return what the network hears, each utterance once."""
        return (self,)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakerBatch(_Movable):
    """Padded utterances, or chunks of them, with their speakers: who says it."""

    keys: tuple[str, ...]  # B utterance keys
    waves: Tensor  # (B, S) float32, 16 kHz, zero padded
    num_samples: Tensor  # (B,) int64, true length of each wave
    speaker_ids: Tensor  # (B,) int64 class ids; -1 = not a speaker of the training set
    bad_utterances: tuple[BadUtterance, ...] = ()  # left out of this batch

    def __post_init__(self) -> None:
        _check_waves(self.keys, self.waves, self.num_samples)
        _check_rows("speaker_ids", self.speaker_ids, len(self.keys), ndim=1)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def by_task(self) -> dict[str, TaskBatch]:
        """Return what each task learns from."""
        return {"speaker": self}

    @property
    def parts(self) -> tuple[TaskBatch, ...]:
        """Return what the network hears, each utterance once."""
        return (self,)


@dataclass(frozen=True, slots=True, kw_only=True)
class MultiTaskBatch(_Movable):
    """One batch per task: what a multi-task step learns from."""

    speech: SpeechBatch
    speaker: SpeakerBatch

    def __len__(self) -> int:
        return len(self.speech) + len(self.speaker)

    @property
    def by_task(self) -> dict[str, TaskBatch]:
        """Return what each task learns from."""
        return {"speech": self.speech, "speaker": self.speaker}

    @property
    def parts(self) -> tuple[TaskBatch, ...]:
        """Return what the network hears, each utterance once."""
        return (self.speech, self.speaker)


@dataclass(frozen=True, slots=True, kw_only=True)
class JointBatch(_Movable):
    """Padded utterances with both labels: one pass of the network serves both tasks."""

    speech: SpeechBatch
    speaker_ids: Tensor  # (B,) int64 class ids

    def __post_init__(self) -> None:
        _check_rows("speaker_ids", self.speaker_ids, len(self.speech), ndim=1)

    def __len__(self) -> int:
        return len(self.speech)

    @property
    def by_task(self) -> dict[str, TaskBatch]:
        """Return what each task learns from: the same waves."""
        heard = self.speech
        speaker = SpeakerBatch(
            keys=heard.keys,
            waves=heard.waves,
            num_samples=heard.num_samples,
            speaker_ids=self.speaker_ids,
        )
        return {"speech": heard, "speaker": speaker}

    @property
    def parts(self) -> tuple[TaskBatch, ...]:
        """Return what the network hears, each utterance once."""
        return (self.speech,)


@dataclass(frozen=True, slots=True, kw_only=True)
class SslBatch(_Movable):
    """Padded utterances with masked frames, for the network to tell from other masked frames."""

    keys: tuple[str, ...]  # B utterance keys
    waves: Tensor  # (B, S) float32, 16 kHz, zero padded
    num_samples: Tensor  # (B,) int64, true length of each wave
    mask: Tensor  # (B, T) bool, True = masked; never at padding
    num_masked: tuple[int, ...]  # B; on the host, so that shapes need not wait for the device
    negatives: Tensor  # (M, N) int16 or int32, places among the masked frames of the utterance
    bad_utterances: tuple[BadUtterance, ...] = ()  # left out of this batch

    def __post_init__(self) -> None:
        _check_waves(self.keys, self.waves, self.num_samples)
        _check_rows("mask", self.mask, len(self.keys), ndim=2)
        _check_count("num_masked", self.num_masked, len(self.keys))
        _check_rows("negatives", self.negatives, sum(self.num_masked), ndim=2)
        if self.mask.device.type == "cpu" and self.mask.sum(1).tolist() != [*self.num_masked]:
            raise ValueError(
                f"num_masked must count the True of each row of mask, {self.mask.sum(1).tolist()}, "
                f"got {self.num_masked}"
            )

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def by_task(self) -> dict[str, TaskBatch]:
        """Return what each task learns from."""
        return {"ssl": self}

    @property
    def parts(self) -> tuple[TaskBatch, ...]:
        """Return what the network hears, each utterance once."""
        return (self,)


TaskBatch = SpeechBatch | SpeakerBatch | SslBatch  # what one task learns from
TrainingBatch = TaskBatch | MultiTaskBatch | JointBatch


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkOutput(_Movable):
    """What the network makes of a batch; the parts that its task does not need are None."""

    frames: Tensor  # (B, T, D) last hidden states, without a class frame
    num_frames: Tensor  # (B,) int64, true number of frames
    token_logits: Tensor | None = None  # (B, T, V)
    embedding: Tensor | None = None  # (B, E) pooled, not normalised
    source_logits: Tensor | None = None  # (B, 2) of the data: for speech, for speakers
    speaker_logits: Tensor | None = None  # (B, K) cosines for AAM-softmax, logits for cross-entropy


def _check_waves(keys: tuple[str, ...], waves: Tensor, num_samples: Tensor) -> None:
    _check_rows("waves", waves, len(keys), ndim=2)
    _check_rows("num_samples", num_samples, len(keys), ndim=1)


def _check_rows(name: str, tensor: Tensor, num_rows: int, *, ndim: int) -> None:
    if tensor.ndim != ndim or len(tensor) != num_rows:
        raise ValueError(
            f"{name} must be {ndim}-dimensional with {num_rows} rows, got {tuple(tensor.shape)}"
        )


def _check_count(name: str, values: tuple[object, ...], num_rows: int) -> None:
    if len(values) != num_rows:
        raise ValueError(f"{name} must have B={num_rows} entries, got {len(values)}")
