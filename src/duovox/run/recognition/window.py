"""Overlapping windows over a recording that is too long for one pass of the network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from duovox.batch import SAMPLE_RATE
from duovox.network.wav2vec2.architecture import Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What the network hears at once; it answers for the frames in the middle alone."""

    start: int  # sample of the recording
    stop: int | None  # one behind its last sample; None: to the end of the recording
    kept: slice  # of its frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Windowing:
    """How a recording is cut: one that fits a window stays whole.

    Args:
        seconds: Length of a window. Memory grows with its square, in the attention.
        context_seconds: What a window hears on either side of the frames it answers for.
    """

    seconds: float = 30.0
    context_seconds: float = 3.0

    def __post_init__(self) -> None:
        if not 0 <= 2 * self.context_seconds <= self.seconds - 1 < math.inf:
            raise ValueError(
                "a window must be a second longer than the context on its two sides, and finite, "
                f"got {self.seconds:g} s with {self.context_seconds:g} s on each: change "
                "window_seconds or context_seconds"
            )

    def windows(self, num_samples: int, architecture: Architecture) -> Iterator[Window]:
        """Yield windows whose kept frames follow each other without a gap."""
        hop = architecture.hop
        size = round(self.seconds * SAMPLE_RATE / hop)  # frames
        context = round(self.context_seconds * SAMPLE_RATE / hop)
        num_frames, step = architecture.num_frames(num_samples), size - 2 * context
        first = 0
        while first + size < num_frames:
            yield Window(
                start=first * hop,
                stop=(first + size - 1) * hop + architecture.receptive_field,
                kept=slice(context if first else 0, size - context),
            )
            first += step
        yield Window(start=first * hop, stop=None, kept=slice(context if first else 0, None))
