"""What a shard holds of one utterance: a row of the index."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One utterance of a shard."""

    key: str
    shard: str  # file name
    offset: int  # first byte of the audio in the shard
    size: int  # bytes of the audio
    num_samples: int
    sample_rate: int  # Hz
    speaker_id: str
    session_id: str
    gender: str
    language: str
    transcript: str
    source: str
    audio_format: str  # "flac" or "wav"
