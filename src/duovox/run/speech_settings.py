"""What words are learnt from and in what batches, as parts of the tree in `settings`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from duovox.run.rule import Amount, Count, Positive, above, between, named_as_files

SampleSeed = Annotated[int, between(0, 2**63 - 1)]  # what numpy takes


@dataclass(frozen=True, kw_only=True)
class Sample:
    """How much of the training data to draw by a seed; all of it where nothing is set."""

    minutes: Annotated[float, above(0)] | None = None
    utterances: Positive | None = None
    seed: SampleSeed | None = None

    def __post_init__(self) -> None:
        if self.minutes is not None and self.utterances is not None:
            raise ValueError(
                f"minutes or utterances must be null, got {self.minutes} and {self.utterances}"
            )
        if (self.minutes is None and self.utterances is None) != (self.seed is None):
            raise ValueError(
                "seed says what to draw, minutes or utterances how much: set both or none, got "
                f"seed={self.seed}, minutes={self.minutes}, utterances={self.utterances}"
            )


@dataclass(frozen=True, kw_only=True)
class SpeechData:
    """Dataset folders for learning and scoring words; the names are those of the results."""

    train: list[str]
    validation: Annotated[dict[str, str], named_as_files()]
    test: Annotated[dict[str, str], named_as_files()]
    sample: Sample = Sample()


@dataclass(frozen=True, kw_only=True)
class SpeechLoading:
    """Batches of a budget of padded samples, or of a fixed count."""

    train_max_num_samples: Positive | None
    length_jitter: Amount
    val_batch_size: Positive | None
    test_batch_size: Positive | None
    num_workers: Count
    pin_memory: bool
    train_batch_size: Positive | None = None
    val_max_num_samples: Positive | None = None
    test_max_num_samples: Positive | None = None

    def __post_init__(self) -> None:
        for split in ("train", "val", "test"):
            names = f"{split}_max_num_samples", f"{split}_batch_size"
            budget, count = (getattr(self, name) for name in names)
            if (budget is None) == (count is None):
                raise ValueError(
                    f"{' or '.join(names)} must be set, and the other null, got "
                    f"{budget} and {count}"
                )
