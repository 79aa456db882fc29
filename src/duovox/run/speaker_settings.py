"""What speakers are learnt from, in what batches and chunks, as parts of the tree in `settings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from duovox.run.rule import Count, Positive, at_least

ChunkSeconds = Annotated[float, at_least(0.025)]  # 400 samples, which make one frame


@dataclass(frozen=True, kw_only=True)
class TrialSet:
    """Utterances and the questions asked about them."""

    folder: str | list[str]
    trials: str


@dataclass(frozen=True, kw_only=True)
class SpeakerData:
    """Dataset folders and trial lists for learning and scoring speakers."""

    train: list[str]
    validation: dict[str, TrialSet]
    test: dict[str, TrialSet]


@dataclass(frozen=True, kw_only=True)
class SpeakerLoading:
    """Batches of a fixed count."""

    train_batch_size: Positive
    train_utterances_per_speaker: Positive = 1
    val_batch_size: Positive
    test_batch_size: Positive
    num_workers: Count
    pin_memory: bool

    def __post_init__(self) -> None:
        if self.train_batch_size % self.train_utterances_per_speaker:
            raise ValueError(
                "train_batch_size must be a multiple of train_utterances_per_speaker="
                f"{self.train_utterances_per_speaker}, got {self.train_batch_size}"
            )


@dataclass(frozen=True, kw_only=True)
class Selector:
    """Which part of an utterance is used."""

    start: Literal["first", "random"]
    desired_chunk_length_sec: ChunkSeconds
