"""What of the training data a run hears: a sample by a seed, within limits of length."""

from __future__ import annotations

import warnings

from duovox.data.dataset.choice import Choice, choose
from duovox.data.dataset.index import Index
from duovox.data.frames import Frames
from duovox.data.source.selection import Limits, check_unheard, select
from duovox.run.settings import SpeechPipeline
from duovox.run.speech_settings import Sample


def length_limits(pipeline: SpeechPipeline, frames: Frames) -> Limits:
    """Return which training utterances are used, by their length and the frames they make."""
    return Limits(min_seconds=pipeline.min_seconds, max_seconds=pipeline.max_seconds, frames=frames)


def draw(index: Index, sample: Sample, limits: Limits) -> Index:
    """Return the utterances that a run hears: a sample of those within the limits, or all.

    The limits come first, so that ten minutes are ten minutes.

    Raises:
        ValueError: there is less than the sample wants.
    """
    if sample.seed is None:
        return index
    usable, _ = select(index, limits.faults(index))
    hours = None if sample.minutes is None else sample.minutes / 60
    choice = Choice(hours=hours, count=sample.utterances, seed=sample.seed)
    return usable.select(choose(usable, choice))


def warn_of_heard(index: Index, training: Index, *, name: str) -> None:
    """Warn of utterances that were trained on, where `check_unheard` would refuse them."""
    try:
        check_unheard(index, training, name=name)
    except ValueError as error:
        warnings.warn(str(error), stacklevel=2)
