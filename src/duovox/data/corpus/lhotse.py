"""Read lhotse's cuts, one JSON object per line (`*.jsonl` or `*.jsonl.gz`).

A cut must be one utterance: one channel of one recorded file, with at most one supervision, which
gives text, speaker, gender and language. Nothing is run and nothing is fetched: recordings whose
source is a command or a web address are refused.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duovox.data.utterance import Utterance, make_key

_ONE_PER_CUT = "make it one with CutSet.trim_to_supervisions()"


@dataclass(frozen=True, slots=True)
class _Line:
    """One cut and where it stands, for messages."""

    place: str
    cut: Mapping[str, Any]

    def refuse(self, what: str) -> ValueError:
        return ValueError(f"{self.place}, cut {self.cut.get('id')!r}: {what}")


def find_utterances(path: Path, *, data_root: Path | None = None) -> list[Utterance]:
    """List the utterances of a file of cuts, in its order.

    Args:
        data_root: Where relative paths of recordings start; the folder of the file by default.

    Raises:
        ValueError: no such file, no JSON, an ID that is used twice, or a cut that is no utterance.
    """
    root = (data_root or path.parent).resolve()
    first: dict[str, str] = {}
    utterances = []
    for line in _lines(path):
        try:
            name = str(line.cut["id"])
            utterances.append(_utterance(line, root))
        except (KeyError, TypeError, AttributeError) as error:
            detail = f"{line.place}: no cut as lhotse writes them ({type(error).__name__}: {error})"
            raise ValueError(detail) from None
        if (other := first.setdefault(name, line.place)) != line.place:
            raise line.refuse(f"{other} has the same id")
    if not utterances:
        raise ValueError(f"{path} holds no cuts")
    return utterances


def _lines(path: Path) -> Iterator[_Line]:
    if not path.name.endswith((".jsonl", ".jsonl.gz")):
        raise ValueError(f"lhotse's cuts must lie in *.jsonl or *.jsonl.gz, got {path}")
    if not path.is_file():
        raise ValueError(f"there is no file of cuts {path}")
    number = 0
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            for number, text in enumerate(file, 1):
                yield _Line(f"{path}, line {number}", json.loads(text))
    except (ValueError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read near line {number}: {error}") from None


def _utterance(line: _Line, root: Path) -> Utterance:
    cut, name = line.cut, str(line.cut["id"])
    recording, supervision = _recording(line), _supervision(line)
    start, duration = float(cut["start"]), float(cut["duration"])
    is_whole = start == 0 and abs(duration - float(recording["duration"])) < 1e-3
    speaker_id = str(supervision.get("speaker") or "")
    session_id = "" if is_whole else str(recording["id"])
    path, channel = _audio(line, recording)
    try:
        return Utterance(
            key=make_key(speaker_id, session_id, name),
            path=root / path,
            source=name,
            speaker_id=speaker_id,
            session_id=session_id,
            gender=str(supervision.get("gender") or ""),
            language=str(supervision.get("language") or ""),
            transcript=str(supervision.get("text") or ""),
            start_seconds=None if is_whole else start,
            stop_seconds=None if is_whole else start + duration,
            channel=channel,
            duration=duration,
        )
    except ValueError as error:
        raise line.refuse(str(error)) from None


def _recording(line: _Line) -> Mapping[str, Any]:
    """Return the recording of a cut, after checking that the cut is a plain stretch of it."""
    kind = line.cut.get("type", "MonoCut")
    if kind != "MonoCut":
        raise line.refuse(f"a {kind} is no stretch of one recording; only MonoCut can be read")
    recording: Mapping[str, Any] | None = line.cut.get("recording")
    if not recording:
        raise line.refuse("it has no recording, so there is no audio (features are not read)")
    if recording.get("transforms"):
        raise line.refuse("its recording has transforms: save the audio with CutSet.save_audios()")
    return recording


def _supervision(line: _Line) -> Mapping[str, Any]:
    supervisions = line.cut.get("supervisions") or [{}]
    if len(supervisions) > 1:
        raise line.refuse(f"{len(supervisions)} supervisions, at most one; {_ONE_PER_CUT}")
    (supervision,) = supervisions
    start, stop = supervision.get("start", 0.0), line.cut["duration"]
    end = start + supervision.get("duration", stop)
    if abs(start) > 1e-3 or abs(end - stop) > 1e-3:
        raise line.refuse(f"its supervision is not as long as the cut; {_ONE_PER_CUT}")
    return dict(supervision)


def _audio(line: _Line, recording: Mapping[str, Any]) -> tuple[str, int]:
    """Return the file that holds the channel of the cut, and which of its channels that is."""
    sources = recording.get("sources") or []
    kinds = sorted({str(source.get("type")) for source in sources})
    if kinds != ["file"]:
        raise line.refuse(
            f"its recording is a {' and a '.join(kinds) or 'nothing'}; only files are read, "
            "commands are never run, and addresses never fetched"
        )
    channel, offered = (
        line.cut.get("channel", 0),
        [source.get("channels", [0]) for source in sources],
    )
    for source, channels in zip(sources, offered, strict=True):
        if channel in channels:
            return str(source["source"]), channels.index(channel)
    known = ", ".join(str(one) for channels in offered for one in channels)
    raise line.refuse(f"its channel is {channel}, its recording has {known}")
