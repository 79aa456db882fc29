"""Count what an index holds: hours, speakers, lengths, characters."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from duovox.data.dataset.index import Index
from duovox.data.frames import MIN_SAMPLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The figures of a data set."""

    num_utterances: int
    hours: float
    num_sessions: int  # known ones
    seconds: NDArray[np.float64]  # (N,) length of each utterance
    num_too_short: int  # without a single frame
    speakers: dict[str, int]  # speaker -> utterances, the most frequent first
    genders: dict[str, int]  # gender -> speakers
    languages: dict[str, int]  # language -> utterances
    characters: dict[str, int]  # character -> times in all transcripts, the most frequent first
    num_words: int
    num_empty: int  # utterances without a transcript
    sample_rates: dict[int, int]  # Hz -> utterances


def compute_statistics(index: Index) -> Statistics:
    """Return the figures of an index, without reading any audio."""
    seconds = index.num_samples / index.sample_rate
    transcripts = list(index.transcript)
    speakers = Counter(index.speaker_id)
    speakers.pop("", None)
    gender_of = dict(zip(index.speaker_id, index.gender, strict=True))
    sessions = set(zip(index.speaker_id, index.session_id, strict=True))
    return Statistics(
        num_utterances=len(index),
        hours=float(seconds.sum() / 3600),
        num_sessions=sum(session != "" for _, session in sessions),
        seconds=seconds,
        num_too_short=int((index.num_samples < MIN_SAMPLES).sum()),
        speakers=dict(speakers.most_common()),
        genders=_known(Counter(gender_of.values())),
        languages=_known(Counter(index.language)),
        characters=dict(Counter("".join(transcripts)).most_common()),
        num_words=sum(len(text.split()) for text in transcripts),
        num_empty=sum(not text.strip() for text in transcripts),
        sample_rates=dict(Counter(index.sample_rate.tolist())),
    )


def _known(counts: Counter[str]) -> dict[str, int]:
    return {value: number for value, number in counts.most_common() if value}
