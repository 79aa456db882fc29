"""Ask before writing whether the disk will hold what is about to be written."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from duovox.data.archive.error import ArchiveError
from duovox.data.archive.joined import parts_of
from duovox.data.shard.clip import AudioFormat
from duovox.data.utterance import Utterance

# FLAC of 16 kHz mono speech: LibriSpeech's 982 hours are 61 GB.
_BYTES_PER_SECOND = 17_000
_BYTES_AROUND = 2_500  # two tar headers, the json, padding to whole blocks, a row of the index
# Size of the FLAC relative to the source: itself, half of PCM, twice of AAC (VoxCeleb2's is 75 GB).
_GROWTH = {".flac": 1.0, ".wav": 0.55}
_LOSSY_GROWTH = 2.0
_FORMAT_GROWTH = {"flac": 1.0, "wav": 2.0}  # of the shards, by what they store


def expected_bytes(utterances: Sequence[Utterance], *, audio_format: AudioFormat = "flac") -> int:
    """Estimate the size of the shards of these utterances, from their lengths or their files."""
    unknown = [utterance for utterance in utterances if _seconds(utterance) is None]
    seconds = sum(_seconds(utterance) or 0.0 for utterance in utterances)
    sizes: dict[object, float] = {}  # a file may hold many utterances, and counts once
    for number, one in enumerate(unknown):
        growth = _GROWTH.get(Path(one.place).suffix.lower(), _LOSSY_GROWTH)
        if one.num_bytes is None:
            sizes[one.path] = _size(one.path) * growth
        else:
            sizes[number] = one.num_bytes * growth
    expected = seconds * _BYTES_PER_SECOND + sum(sizes.values())
    return round(_FORMAT_GROWTH[audio_format] * expected) + _BYTES_AROUND * len(utterances)


def written_bytes(folder: Path) -> int:
    """Return the size of the shards in a folder, which a run there keeps or replaces."""
    return sum(path.stat().st_size for path in folder.glob("*.tar"))


def check_space(folder: Path, needed: int) -> None:
    """Raise a ValueError when less than `needed` bytes are free where `folder` lies."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ValueError(
            f"writing {folder} needs about {_gigabytes(needed)}, its disk has {_gigabytes(free)} "
            "free: free some space, choose another disk, or, if you know better, pass "
            "--skip-space-check. Nothing was written"
        )


def _seconds(utterance: Utterance) -> float | None:
    if utterance.duration is not None:
        return utterance.duration
    if utterance.stop_seconds is not None:
        return utterance.stop_seconds - (utterance.start_seconds or 0.0)
    return None


def _size(path: Path) -> int:
    try:
        return sum(part.stat().st_size for part in parts_of(path))
    except (OSError, ArchiveError):
        return 0  # it will be listed as missing


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:.2f} GB"
