"""Decode what libsndfile cannot (m4a, aac, wma, video, ...) through the ffmpeg program."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from duovox.audio.decode import SAMPLE_RATE, probe, read_wave
from duovox.audio.error import AudioError

if TYPE_CHECKING:
    from ffmpeg.nodes import OutputStream


def decode_any(path: Path) -> tuple[NDArray[np.float32], int]:
    """Decode any file that ffmpeg knows.

    Returns:
        The wave of its first audio stream, (S,) or (S, C) float32, and its own sample rate.

    Raises:
        AudioError: ffmpeg cannot decode it; the message holds the end of what ffmpeg said.
    """
    import ffmpeg

    stream = ffmpeg.input(_address(path)).audio
    stream = stream.output("pipe:", format="wav", acodec="pcm_f32le", loglevel="error")
    return read_wave(_run(stream, path))


def convert_to_wav(source: Path, target: Path) -> None:
    """Write any file that ffmpeg knows as 16-bit WAV, 16 kHz, mono; `target` appears whole.

    Raises:
        AudioError: ffmpeg cannot decode it, or all of it.
    """
    import ffmpeg

    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    stream = ffmpeg.input(_address(source)).audio.output(
        _address(temporary),
        format="wav",
        acodec="pcm_s16le",
        ac=1,
        ar=SAMPLE_RATE,
        fflags="+bitexact",  # the same bytes from every version of ffmpeg
        map_metadata=-1,
        loglevel="error",
    )
    try:
        _run(stream.global_args("-xerror", "-y"), source)
        if probe(temporary).num_samples == 0:
            raise AudioError("no samples", f"ffmpeg finds no samples in {source}")
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _address(path: Path) -> str:
    """Return a path that ffmpeg takes for nothing else, though it begins with "-i" or "concat:"."""
    return f"file:{path.resolve()}"


def _run(stream: OutputStream, path: Path) -> bytes:
    """Run ffmpeg, without a shell, and return what it writes to its output."""
    import ffmpeg

    try:
        output, complaints = stream.global_args("-nostdin").run(
            cmd=program(), capture_stdout=True, capture_stderr=True
        )
    except ffmpeg.Error as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        detail = f"ffmpeg cannot decode {path}: {' / '.join(said[-3:])}"
        raise AudioError("undecodable", detail) from None
    if b"partial file" in complaints:  # no error to ffmpeg, which decodes what there is
        raise AudioError("cut short", f"{path} ends before its table of contents says")
    return bytes(output)


def program() -> str:
    """Return the system's ffmpeg, or the one that the package imageio-ffmpeg brings."""
    if found := shutil.which("ffmpeg"):
        return found
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())
