"""Read what a shard says about an utterance, in our field names or in those of others."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Self

from duovox.audio.decode import SAMPLE_RATE
from duovox.data.utterance import UNKNOWN, original_name

# Field of ours -> names under which published shards hold it.
_FIELDS = {
    "speaker_id": ("speaker_id", "reader_id"),
    "session_id": ("session_id", "chapter_id", "youtube_id", "recording_id"),
    "gender": ("gender",),
    "language": ("language", "language_tag"),
    "transcript": ("transcript", "transcription", "text"),
    "source": ("source", "sample_id"),
}
_LENGTH_FIELDS = ("num_samples", "num_frames")  # others count samples as frames


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The description of one utterance; empty text and None mean: not said."""

    speaker_id: str
    session_id: str
    gender: str
    language: str
    transcript: str
    source: str
    num_samples: int | None

    def to_json(self) -> bytes:
        """Return the record as the `.json` member of a shard of ours."""
        length = {"num_samples": self.num_samples, "sample_rate": SAMPLE_RATE}
        return json.dumps(self.described() | length, ensure_ascii=False).encode()

    def described(self) -> dict[str, str]:
        """Return the fields that an index row has as well."""
        return {name: getattr(self, name) for name in _FIELDS}

    def completed(self, key: str) -> Self:
        """Fill in what is not said: speaker and session from a key of three parts, its source."""
        if self.speaker_id and self.session_id and self.source:
            return self
        parts = key.split("/")
        speaker, session = map(_named, parts[:2]) if len(parts) == 3 else ("", "")
        return replace(
            self,
            speaker_id=self.speaker_id or speaker,
            session_id=self.session_id or session,
            source=self.source or original_name(key),
        )


def read_record(key: str, content: bytes | None, text: bytes | None) -> Record:
    """Parse the `.json` and `.txt` members of a sample, either may be missing, and its key.

    Raises:
        ValueError: the json is no object, or the length in it is no number.
    """
    fields = _parse(content) if content is not None else {}
    values = {name: _first(fields, names) for name, names in _FIELDS.items()}
    if text is not None and not values["transcript"]:
        values["transcript"] = text.decode("utf-8").strip()
    length = _first(fields, _LENGTH_FIELDS)
    if length and not length.isdigit():
        raise ValueError(f"the length in its json is {length!r}, not a number of samples")
    return Record(**values, num_samples=int(length) if length else None).completed(key)


def _parse(content: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(content)
    except ValueError as error:
        raise ValueError(f"its json cannot be read: {error}") from None
    if not isinstance(fields, dict):
        raise ValueError(f"its json is a {type(fields).__name__}, not an object")
    return fields


def _first(fields: dict[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        if fields.get(name) is not None:
            return str(fields[name])
    return ""


def _named(part: str) -> str:
    return "" if part == UNKNOWN else original_name(part)
