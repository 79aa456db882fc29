"""Read manifests in SpeechBrain's columns, as CSV or as JSON.

| column | needed | meaning |
|---|---|---|
| `ID` | yes | unique name of the utterance (the outer key in JSON) |
| `wav` | yes | path of the audio; `$data_root` or `{data_root}` stands for the corpus folder |
| `spk_id` | this or `wrd` | speaker; given for all utterances or for none |
| `wrd` (`words`) | this or `spk_id` | transcript |
| `duration` (`length`) | no | seconds; checked against the audio when shards are written |
| `start`, `stop` | no | stretch of the file in whole samples of its own rate, SpeechBrain's unit |
| `start_seconds`, `stop_seconds` | no | the same in seconds |
| `channel` | no | of the file, 0 is the first; the mean of all where it is not given |
| `gender`, `session_id` (`session`), `language` | no | taken when present |

Other columns are ignored. A relative path without a placeholder starts at the corpus folder too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from duovox.data.corpus.stretch import stretch
from duovox.data.corpus.table import Entry, read_table
from duovox.data.listing import listing
from duovox.data.utterance import Utterance, make_key

_ROOTS = ("$data_root", "{data_root}")


def find_utterances(path: Path, *, data_root: Path | None = None) -> list[Utterance]:
    """List the utterances of a manifest.

    Args:
        path: `*.csv` or `*.json`.
        data_root: The corpus folder; that of the manifest by default.

    Raises:
        ValueError: a missing column or value, a repeated ID, a bad number, or a file that is not
            there; the message names the line and the column.
    """
    root = (data_root or path.parent).resolve()
    entries = read_table(path)
    _check_columns(entries, path)
    _check_ids(entries)
    places = [_audio_path(entry, root) for entry in entries]
    _check_files(places, path, root)
    return [_utterance(entry, place, root) for entry, place in zip(entries, places, strict=True)]


def _utterance(entry: Entry, path: Path, root: Path) -> Utterance:
    speaker_id, session_id = entry.first("spk_id"), entry.first("session_id", "session")
    start_seconds, stop_seconds = stretch(entry, path)
    try:
        return Utterance(
            key=make_key(speaker_id, session_id, entry.fields["ID"]),
            path=path,
            source=_source(entry, root),
            speaker_id=speaker_id,
            session_id=session_id,
            gender=entry.first("gender"),
            language=entry.first("language"),
            transcript=entry.first("wrd", "words"),
            start_seconds=start_seconds,
            stop_seconds=stop_seconds,
            channel=_channel(entry),
            duration=_duration(entry),
        )
    except ValueError as error:
        raise ValueError(f"{entry.place}: {error}") from None


def _check_columns(entries: Sequence[Entry], path: Path) -> None:
    found = set().union(*(entry.fields for entry in entries))
    missing = [name for name in ("ID", "wav") if name not in found]
    if not found & {"spk_id", "wrd", "words"}:
        missing.append("spk_id or wrd")
    if missing:
        raise ValueError(
            f"{path} lacks the column {', '.join(missing)}; it has {', '.join(sorted(found))}"
        )
    needed = ["ID", "wav"]
    has_speakers = any(entry.first("spk_id") for entry in entries)
    has_words = any(entry.first("wrd", "words") for entry in entries)
    if "spk_id" in found and (has_speakers or not has_words):
        needed.append("spk_id")
    for entry in entries:
        for name in needed:
            if not entry.fields.get(name):
                raise ValueError(f"{entry.place}, column {name}: must not be empty")


def _check_ids(entries: Sequence[Entry]) -> None:
    first: dict[str, Entry] = {}
    for entry in entries:
        other = first.setdefault(entry.fields["ID"], entry)
        if other is not entry:
            name = entry.fields["ID"]
            raise ValueError(
                f"{entry.place}, column ID: {name!r} is already that of {other.place}; "
                "each utterance needs an ID of its own"
            )


def _audio_path(entry: Entry, root: Path) -> Path:
    text = entry.fields["wav"]
    for name in _ROOTS:
        text = text.replace(name, str(root))
    return root / text


def _source(entry: Entry, root: Path) -> str:
    """Return the path as the corpus names it: what follows its root."""
    text = entry.fields["wav"]
    for name in (*_ROOTS, str(root)):
        text = text.removeprefix(f"{name}/")
    return text


def _channel(entry: Entry) -> int | None:
    text = entry.first("channel")
    if text and not text.isdecimal():
        raise ValueError(f"column channel: must be 0, 1, ..., got {text!r}")
    return int(text) if text else None


def _duration(entry: Entry) -> float | None:
    if not (text := entry.first("duration", "length")):
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"column duration: must be a positive number of seconds, got {text!r}")
    return seconds


def _check_files(places: Sequence[Path], path: Path, root: Path) -> None:
    missing = [place for place in places if not place.is_file()]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(places)} audio files of {path} are not there; "
            f"is {root} the corpus folder (--data-root)?{listing(missing)}"
        )
