"""Read Kaldi data folders.

| file | needed | a line holds |
|---|---|---|
| `wav.scp` | yes | recording, path of its audio |
| `segments` | no | utterance, recording, start and end in seconds (-1: to its end), channel |
| `text` | this or `utt2spk` | utterance, transcript |
| `utt2spk` | this or `text` | utterance, speaker |
| `spk2gender` | no | speaker, gender |
| `utt2lang`, `utt2dur` | no | utterance, language; utterance, seconds |

Without `segments` a recording is an utterance. With it, the recording is the session. The channel,
0 for the first, may be missing: then the mean of all is taken. Nothing is run: an entry of
`wav.scp` that ends in `|` is a command line, and refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from duovox.data.listing import listing
from duovox.data.utterance import Utterance, make_key

Table = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Stretch:
    """Where an utterance lies."""

    recording: str
    start_seconds: float | None = None
    stop_seconds: float | None = None
    channel: int | None = None


def find_utterances(folder: Path, *, data_root: Path | None = None) -> list[Utterance]:
    """List the utterances of a Kaldi data folder, in the order of `segments` or of `wav.scp`.

    Args:
        data_root: Where relative paths in `wav.scp` start; the folder itself by default. In Kaldi
            it is the folder in which the recipe was run.

    Raises:
        ValueError: a file or an entry is missing, twice there or malformed, or a path is a command.
    """
    root = (data_root or folder).resolve()
    places = {name: _path(text, root, name) for name, text in _read(folder / "wav.scp").items()}
    tables = {
        name: _read(folder / name) if (folder / name).is_file() else {}
        for name in ("text", "utt2spk", "spk2gender", "utt2lang", "utt2dur")
    }
    if not tables["text"] and not tables["utt2spk"]:
        raise ValueError(f"{folder} needs text or utt2spk: without both there is nothing to learn")
    stretches = _stretches(folder, places)
    for name in ("text", "utt2spk"):
        _check_same_entries(folder / name, tables[name], stretches)
    return [
        _utterance(name, stretch, places[stretch.recording], tables)
        for name, stretch in stretches.items()
    ]


def _utterance(name: str, stretch: _Stretch, path: Path, tables: Mapping[str, Table]) -> Utterance:
    speaker_id = tables["utt2spk"].get(name, "")
    session_id = stretch.recording if stretch.start_seconds is not None else ""
    duration = tables["utt2dur"].get(name)
    return Utterance(
        key=make_key(speaker_id, session_id, name),
        path=path,
        source=name,  # trial lists of Kaldi name utterances, not files
        speaker_id=speaker_id,
        session_id=session_id,
        gender=tables["spk2gender"].get(speaker_id, ""),
        language=tables["utt2lang"].get(name, ""),
        transcript=tables["text"].get(name, ""),
        start_seconds=stretch.start_seconds,
        stop_seconds=stretch.stop_seconds,
        channel=stretch.channel,
        duration=_seconds(duration, f"utt2dur, {name}") if duration else None,
    )


def _read(path: Path) -> Table:
    """Return first word -> rest of each line."""
    if not path.is_file():
        raise ValueError(f"{path.parent} is no Kaldi data folder: there is no {path.name}")
    table: Table = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no UTF-8 text: {error}") from None
    for number, line in enumerate(lines, 1):
        name, *rest = line.split(maxsplit=1) or [""]
        if not name:
            raise ValueError(f"{path}, line {number}: must not be empty")
        if name in table:
            raise ValueError(f"{path}, line {number}: {name} is there already; give it a new name")
        table[name] = rest[0].strip() if rest else ""
    return table


def _path(text: str, root: Path, name: str) -> Path:
    if text.endswith("|") or text.startswith("|"):
        raise ValueError(
            f"wav.scp, {name}: {text!r} is a command line, which is never run here: write the path "
            "of the audio file instead (any format and rate is read; of several channels the mean, "
            "or the one that the fifth field of segments names)"
        )
    if not text:
        raise ValueError(f"wav.scp, {name}: must name an audio file")
    if ".ark:" in text:
        raise ValueError(
            f"wav.scp, {name}: {text!r} lies within a Kaldi archive, which is not read: copy the "
            "archive to files first (wav-copy)"
        )
    return root / text


def _stretches(folder: Path, places: Mapping[str, Path]) -> dict[str, _Stretch]:
    if not (folder / "segments").is_file():
        return {name: _Stretch(name) for name in places}
    return {
        name: _segment(name, fields.split(), places)
        for name, fields in _read(folder / "segments").items()
    }


def _segment(name: str, fields: list[str], places: Mapping[str, Path]) -> _Stretch:
    if len(fields) not in (3, 4):
        raise ValueError(
            f"segments, {name}: must have recording, start, end and perhaps a channel, got {fields}"
        )
    recording, start, stop, *channel = fields
    if recording not in places:
        raise ValueError(f"segments, {name}: wav.scp does not name the recording {recording}")
    begin = _seconds(start, f"segments, {name}")
    end = None if stop in ("-1", "-1.0") else _seconds(stop, f"segments, {name}")
    if end is not None and end <= begin:
        raise ValueError(f"segments, {name}: the end {stop} must lie behind the start {start}")
    return _Stretch(recording, begin, end, _channel(channel, name))


def _channel(fields: Sequence[str], name: str) -> int | None:
    if not all(field.isdecimal() for field in fields):
        raise ValueError(f"segments, {name}: the channel must be 0, 1, ..., got {fields[0]!r}")
    return int(fields[0]) if fields else None


def _seconds(text: str, place: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise ValueError(f"{place}: must be a number of seconds, got {text!r}")
    return seconds


def _check_same_entries(path: Path, table: Table, utterances: Mapping[str, _Stretch]) -> None:
    """Refuse a table that describes other utterances than there are."""
    if not table:
        return
    if missing := sorted(utterances.keys() - table.keys()):
        raise ValueError(
            f"{path} lacks {len(missing)} of {len(utterances)} utterances: add them, or take them "
            f"out of the folder (Kaldi's utils/fix_data_dir.sh does){listing(missing)}"
        )
    if unknown := sorted(table.keys() - utterances.keys()):
        raise ValueError(
            f"{path} names {len(unknown)} utterances without audio: take them out "
            f"(Kaldi's utils/fix_data_dir.sh does){listing(unknown)}"
        )
