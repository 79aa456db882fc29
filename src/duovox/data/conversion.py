"""Convert a folder of compressed audio to WAV, each file beside its origin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from duovox.audio.decode import probe
from duovox.audio.error import AudioError
from duovox.audio.ffmpeg import convert_to_wav
from duovox.data.dataset.threads import map_ahead
from duovox.data.fault import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """What came of the files of a folder."""

    num_converted: int
    num_present: int  # that an earlier run converted
    faults: tuple[Fault, ...]


def find_compressed(folder: Path) -> list[Path]:
    """Return all .m4a files below a folder, sorted.

    Raises:
        ValueError: there is no such folder, or there are none in it.
    """
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    if not (found := sorted(folder.rglob("*.m4a"))):
        raise ValueError(f"{folder} holds no .m4a files")
    return found


def convert_all(
    files: Sequence[Path], *, num_workers: int, on_file: Callable[[], object] = lambda: None
) -> Conversion:
    """Write a `.wav` of 16 kHz and one channel beside every file that has none.

    Each worker waits for an ffmpeg of its own, so threads are enough. A WAV file appears once it is
    whole; one that is empty or cut short, as after a power cut, is made again.

    Args:
        num_workers: How many ffmpeg run side by side.
        on_file: Called after each file, for progress bars.
    """
    if num_workers < 1:
        raise ValueError(f"num_workers must be at least 1, got {num_workers}")
    results = []
    for _, result in map_ahead(_convert, files, num_threads=num_workers):
        results.append(result)
        on_file()
    return Conversion(
        num_converted=results.count(True),
        num_present=results.count(False),
        faults=tuple(result for result in results if isinstance(result, Fault)),
    )


def _convert(path: Path) -> bool | Fault:
    """Convert a file; return whether it was needed, or why it did not work."""
    target = path.with_suffix(".wav")
    try:
        if _is_whole(target):
            return False
        convert_to_wav(path, target)
    except AudioError as error:
        return Fault(where=str(path), key="", cause=error.cause, detail=error.detail)
    except OSError as error:
        return Fault(where=str(path), key="", cause="unreadable", detail=str(error))
    return True


def _is_whole(path: Path) -> bool:
    try:
        return path.is_file() and probe(path).num_samples > 0
    except AudioError:
        return False
