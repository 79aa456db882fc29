"""VoxCeleb: convert m4a against ffmpeg alone, and read chunks against reading whole utterances.

The m4a files hold 8 s of noise in AAC at 64 kbit/s, the mean length in VoxCeleb2. The peer of the
conversions is one ffmpeg command per file, started from a list of arguments and nothing else; both
sides use one core. The peer of the chunk is our own decoder on the whole utterance.

Run: python benchmarks/bench_m4a.py
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from duovox.audio.decode import read_wave
from duovox.audio.ffmpeg import program
from duovox.data.conversion import convert_all
from duovox.data.shard.flac import encode
from duovox.data.shard.write import LoadedUtterance, load_utterance
from duovox.data.utterance import Utterance
from side_by_side import compare, print_header, print_row, print_versions

SAMPLE_RATE = 16_000
SECONDS, CHUNK_SECONDS = 8, 3
NUM_FILES = 8


def main() -> None:
    """Print one line per comparison."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one core for both sides
    print_versions("soundfile", "ffmpeg-python")
    print_header()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = _write_m4a(folder)
        print_row(
            f"{NUM_FILES} m4a to wav",
            ">= 0.91x",
            compare(lambda: _ours(files), lambda: _ffmpeg(files), rounds=5),
        )
        utterances = _zip(folder, files)
        print_row(
            f"{NUM_FILES} m4a in a zip to FLAC",
            ">= 0.91x",
            compare(lambda: _to_flac(utterances), lambda: _ffmpeg(files), rounds=5),
        )
    content = encode(_noise())
    wanted = CHUNK_SECONDS * SAMPLE_RATE
    print_row(
        f"{CHUNK_SECONDS} s within {SECONDS} s of FLAC, against all of it",
        ">= 2x",
        compare(
            lambda: read_wave(content, start=2 * SAMPLE_RATE, num_samples=wanted),
            lambda: read_wave(content),
        ),
    )


def _noise() -> np.ndarray:
    """Return noise with the spectrum of speech in the long run: pink, here."""
    white = np.fft.rfft(np.random.default_rng(0).standard_normal(SECONDS * SAMPLE_RATE))
    pink = np.fft.irfft(white / np.sqrt(np.arange(1, len(white) + 1)))
    return (0.1 * pink / pink.std()).astype(np.float32)


def _write_m4a(folder: Path) -> list[Path]:
    soundfile.write(folder / "noise.wav", _noise(), SAMPLE_RATE)
    files = [folder / f"{number}.m4a" for number in range(NUM_FILES)]
    command = [program(), "-loglevel", "error", "-i", folder / "noise.wav", "-b:a", "64k"]
    for file in files:
        subprocess.run([*command, file], check=True)
    return files


def _ours(files: Sequence[Path]) -> None:
    for file in files:
        file.with_suffix(".wav").unlink(missing_ok=True)
    assert convert_all(files, num_workers=1).num_converted == NUM_FILES


def _ffmpeg(files: Sequence[Path]) -> None:
    for file in files:
        command = [program(), "-loglevel", "error", "-y", "-i", file, "-ac", "1", "-ar", "16000"]
        subprocess.run([*command, file.with_suffix(".peer.wav")], check=True, capture_output=True)


def _zip(folder: Path, files: Sequence[Path]) -> list[Utterance]:
    path = folder / "vox2_dev_aac.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in files:
            archive.write(file, file.name)
    return [Utterance(key=f"s/v/{file.stem}", path=path, member=file.name) for file in files]


def _to_flac(utterances: Sequence[Utterance]) -> None:
    for utterance in utterances:
        loaded = load_utterance(utterance)
        assert isinstance(loaded, LoadedUtterance)
        assert abs(loaded.num_samples - SECONDS * SAMPLE_RATE) < SAMPLE_RATE


if __name__ == "__main__":
    main()
