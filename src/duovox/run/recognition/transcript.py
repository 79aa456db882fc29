"""What is said in a recording, and when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from duovox.decoding.word_time import WordSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedWord:
    """A word, when it was said, and how sure the network is of it."""

    word: str
    start_seconds: float
    stop_seconds: float
    score: float  # mean probability of its characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What is said in one recording, or why that can't be told."""

    path: Path
    text: str = ""
    words: tuple[TimedWord, ...] = ()  # where times were asked for
    seconds: float = 0.0  # of audio
    fault: str | None = None  # a whole sentence that names the path


def timed(span: WordSpan, *, first_frame: int, frame_seconds: float) -> TimedWord:
    """Return when a word was said whose frames are counted from `first_frame` on."""
    return TimedWord(
        word=span.word,
        start_seconds=round((first_frame + span.first_frame) * frame_seconds, 6),
        stop_seconds=round((first_frame + span.stop_frame) * frame_seconds, 6),
        score=span.score,
    )
