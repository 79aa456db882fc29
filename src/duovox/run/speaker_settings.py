"""What speakers are learnt from and in what batches, as parts of the tree in `settings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from duovox.run.rule import Amount, Count, Positive, at_least, between, distinct, named_as_files

Speeds = Annotated[list[Annotated[float, between(0.5, 2)]], distinct(1)]
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
    validation: Annotated[dict[str, TrialSet], named_as_files()]
    test: Annotated[dict[str, TrialSet], named_as_files()]


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


@dataclass(frozen=True, kw_only=True)
class SpeakerPipeline:
    """From bytes to chunks."""

    normalize: Literal["chunk", "utterance", "none"]
    min_seconds: Amount
    speeds: Speeds
    speeds_are_speakers: bool
    augmentations: dict[str, dict[str, Any]]  # by any name; options, as in `settings`
    selector_train: Selector
    selector_val: Selector
    selector_test: Selector


@dataclass(frozen=True, kw_only=True)
class SpeakerScoring:
    """How the trials of test sets are scored beside plain cosines."""

    as_norm_utterances: Count  # of each training speaker, for the cohort; 0 = no AS-norm
    as_norm_nearest: Annotated[int, at_least(2)]  # scores with the cohort that count


@dataclass(frozen=True, kw_only=True)
class Speaker:
    """Everything about the speaker task but its data."""

    dataloader: SpeakerLoading
    pipeline: SpeakerPipeline
    scoring: SpeakerScoring
