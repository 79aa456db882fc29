"""Which stretch of its file an entry of a manifest means."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from duovox.audio.decode import AudioInfo, probe
from duovox.data.corpus.table import Entry

Stretch = tuple[float | None, float | None]


def stretch(entry: Entry, path: Path) -> Stretch:
    """Return start and stop in seconds; None where the file begins or ends.

    Raises:
        ValueError: a value is no number of its unit, samples are counted in a file whose rate only
            ffmpeg knows, or the stretch is empty.
    """
    samples = [_number(entry, name) for name in ("start", "stop")]
    seconds = [_number(entry, name) for name in ("start_seconds", "stop_seconds")]
    if samples != [None, None]:
        seconds = list(_in_seconds(entry, samples, path))
    start, stop = seconds
    if stop is not None and stop <= (start or 0):
        raise ValueError(f"{entry.place}, column stop: must lie behind start")
    return start or None, stop


def _number(entry: Entry, column: str) -> float | None:
    if not (text := entry.first(column)):
        return None
    is_seconds = column.endswith("_seconds")
    try:
        value = float(text) if is_seconds else int(text)
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        unit = "seconds" if is_seconds else "samples of the file's own rate"
        hint = "" if is_seconds else f"; for seconds name the column {column}_seconds"
        raise ValueError(f"{entry.place}, column {column}: must be {unit}, got {text!r}{hint}")
    return value


def _in_seconds(entry: Entry, samples: list[float | None], path: Path) -> Stretch:
    try:
        header = _probe(path)
    except ValueError as error:
        raise ValueError(
            f"{entry.place}, column start: samples need a file whose rate is known, but {path} is "
            f"{error}; give start_seconds and stop_seconds instead"
        ) from None
    start, stop = samples
    if stop == header.num_samples:
        stop = None
    return tuple(value / header.sample_rate if value else None for value in (start, stop))  # type: ignore[return-value]


@lru_cache(maxsize=1024)
def _probe(path: Path) -> AudioInfo:
    """Read a header once: many utterances may lie in one file."""
    return probe(path)
