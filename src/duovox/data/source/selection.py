"""What the index alone shows to be unusable: left out of training by name, refused elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from duovox.audio.decode import SAMPLE_RATE
from duovox.data.dataset.index import Index
from duovox.data.frames import WAV2VEC2, Frames
from duovox.data.listing import listing

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Which utterances are used, by their length.

    Args:
        frames: of the network: an utterance must be long enough for one.
    """

    min_seconds: float = 0.0
    max_seconds: float | None = None
    frames: Frames = WAV2VEC2

    def __post_init__(self) -> None:
        if self.max_seconds is not None and self.max_seconds <= self.min_seconds:
            raise ValueError(
                f"max_seconds must exceed min_seconds={self.min_seconds}, got {self.max_seconds}"
            )

    def faults(self, index: Index, *, fastest: float = 1.0) -> dict[str, Mask]:
        """Return (N,) masks of the utterances that are too short or too long.

        Args:
            fastest: The largest speed factor; sped up, too, an utterance must give a frame.
        """
        seconds = index.num_samples / SAMPLE_RATE
        shortest = index.num_samples / fastest
        least = self.frames.min_samples
        faults = {
            f"shorter than {least} samples": shortest < least,
            f"shorter than {self.min_seconds} s": seconds < self.min_seconds,
        }
        if self.max_seconds is not None:
            faults[f"longer than {self.max_seconds} s"] = seconds > self.max_seconds
        return faults


def is_choice(cause: str) -> bool:
    """Tell whether a cause is the user's own choice of seconds, not a fault of the utterance."""
    return cause.endswith(" s")


def select(index: Index, faults: Mapping[str, Mask]) -> tuple[Index, dict[str, list[str]]]:
    """Return the index without faulty rows, and the keys left out by cause: the first that applies.

    Raises:
        ValueError: no utterance remains.
    """
    is_kept = np.ones(len(index), dtype=np.bool_)
    dropped: dict[str, list[str]] = {}
    for cause, mask in faults.items():
        rows = np.flatnonzero(mask & is_kept)
        if len(rows):
            dropped[cause] = index.key.take(rows)
        is_kept &= ~mask
    if not is_kept.any():
        counts = ", ".join(f"{cause}: {len(keys)}" for cause, keys in dropped.items())
        raise ValueError(
            f"none of {len(index)} utterances can be used ({counts or 'no utterance'})"
        )
    return (index if is_kept.all() else index.select(is_kept)), dropped


def refuse(index: Index, faults: Mapping[str, Mask]) -> None:
    """Raise a ValueError that lists the faulty utterances of an evaluation, if there are any."""
    listed = [
        f"{key}: {cause}"
        for cause, mask in faults.items()
        for key in index.key.take(np.flatnonzero(mask))
    ]
    if listed:
        raise ValueError(
            f"{len(listed)} of {len(index)} utterances cannot be used, and an evaluation leaves "
            f"none out by itself; take them out of the data set:{listing(listed)}"
        )


def check_unheard(index: Index, training: Index, *, name: str) -> None:
    """Refuse to score utterances that were trained on: their error rate would be too good.

    Keys may be plain numbers that two corpora share, so the audio must be as long and the
    transcript the same, too.

    Args:
        name: of the set that is scored, for the message.

    Raises:
        ValueError: there are such utterances; the message lists them.
    """
    wanted = set(index.key)
    trained_on = {row for row in _rows(training) if row[0] in wanted}
    seen = [row[0] for row in _rows(index) if row in trained_on]
    if seen:
        raise ValueError(
            f"{len(seen)} of {len(index)} utterances of {name} are also in training, so its error "
            f"rate would be too good; take them out of one of the two:{listing(seen)}"
        )


def _rows(index: Index) -> Iterator[tuple[str, int, int, str]]:
    return zip(
        index.key, index.num_samples.tolist(), index.size.tolist(), index.transcript, strict=True
    )


def check_unique_keys(index: Index) -> None:
    """Raise a ValueError that lists the keys that several utterances share."""
    keys = list(index.key)
    if len(set(keys)) == len(keys):
        return
    repeated = [key for key, count in Counter(keys).items() if count > 1]
    folders = sorted({str(shard.parent) for shard in index.shards})
    raise ValueError(
        f"{len(repeated)} keys come more than once in {', '.join(folders)}; name each data set "
        f"once, or prepare one of them with other keys:{listing(repeated)}"
    )
