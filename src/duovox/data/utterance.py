"""One stretch of speech by one speaker, and the rule for its key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

UNKNOWN = "_"  # stands for a speaker or session that the source does not name
_MAX_NAME_BYTES = 100  # of the last part of a tar member's name, ".json" included
_MAX_FOLDER_BYTES = 155  # of the parts before it
_PLAIN = re.compile(r"[A-Za-z0-9_~-]+")  # most names: nothing to escape


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """Where an utterance lies and what its source says about it; empty text means: not said."""

    key: str  # `speaker/session/utterance`, unique in a data set
    path: Path  # the audio file, or the zip archive (any part of it) that holds `member`
    source: str = ""  # the path as the source names it, relative to its root; trial lists use it
    speaker_id: str = ""
    session_id: str = ""  # recording, video or chapter
    gender: str = ""
    language: str = ""
    transcript: str = ""
    start_seconds: float | None = None  # where the utterance begins in the file
    stop_seconds: float | None = None
    channel: int | None = None  # of the file, 0 is the first; None: the mean of all
    duration: float | None = None  # seconds, as the source promises
    num_bytes: int | None = None  # of its audio, where the source says so
    member: str = ""  # name of the audio inside the zip at `path`; empty: `path` is the audio

    def __post_init__(self) -> None:
        check_key(self.key)

    @property
    def place(self) -> str:
        """Where its audio lies, for messages."""
        return f"{self.path}/{self.member}" if self.member else str(self.path)


def make_key(speaker_id: str, session_id: str, utterance_id: str) -> str:
    """Join three names to a key, escaping what a key may not hold as `%XX`.

    Dots end a key in the webdataset format, slashes separate its parts, and spaces separate the
    entries of a trial list: these and everything outside ASCII letters, digits, `_`, `-` and `~` is
    percent-encoded, so that `original_name` gives it back.
    """
    parts = (speaker_id or UNKNOWN, session_id or UNKNOWN, utterance_id)
    return "/".join(map(_escape, parts))


def original_name(key: str) -> str:
    """Return the key with its escapes undone."""
    return unquote(key)


def check_key(key: str) -> None:
    """Raise a ValueError unless `key` is three clean names that fit into a tar header."""
    parts = key.split("/")
    if len(parts) != 3 or any(part != _escape(unquote(part)) for part in parts):
        raise ValueError(
            f"key {key!r} must be speaker/session/utterance without dots, spaces or odd "
            "characters; make it with make_key(), which escapes them"
        )
    if not all(parts):
        raise ValueError(f"key {key!r} has an empty part")
    folder, _, name = key.rpartition("/")
    if len(folder) > _MAX_FOLDER_BYTES or len(name) > _MAX_NAME_BYTES - len(".json"):
        raise ValueError(
            f"key {key!r} is too long: speaker/session may have {_MAX_FOLDER_BYTES} characters, "
            f"the utterance {_MAX_NAME_BYTES - len('.json')}; shorten the ID"
        )


def _escape(name: str) -> str:
    return name if _PLAIN.fullmatch(name) else quote(name, safe="").replace(".", "%2E")
