"""Find the audio files that are meant by files and folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SUFFIXES = {".aac", ".aif", ".aiff", ".amr", ".caf", ".flac", ".m4a", ".mkv", ".mov", ".mp3"}
SUFFIXES |= {".mp4", ".oga", ".ogg", ".opus", ".wav", ".webm", ".wma"}


def find_audio(paths: Iterable[Path]) -> list[Path]:
    """Return files as they are, and of folders all files below with the name of an audio format.

    Raises:
        ValueError: a folder has no such file.
    """
    found = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        below = sorted(one for one in path.rglob("*") if one.suffix.lower() in SUFFIXES)
        if not below:
            raise ValueError(
                f"{path} has no audio file: none ends in {', '.join(sorted(SUFFIXES))}"
            )
        found += below
    return found
