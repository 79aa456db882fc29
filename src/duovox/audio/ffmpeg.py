"""Decode what libsndfile cannot (m4a, aac, wma, video, ...) through the ffmpeg program."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duovox.audio.decode import read_wave
from duovox.audio.error import AudioError


def decode_any(path: Path) -> tuple[NDArray[np.float32], int]:
    """Decode any file that ffmpeg knows.

    Returns:
        The wave of its first audio stream, (S,) or (S, C) float32, and its own sample rate.

    Raises:
        AudioError: ffmpeg cannot decode it; the message holds the end of what ffmpeg said.
    """
    import ffmpeg

    # The protocol in front keeps names like "-i" or "concat:..." from meaning anything else.
    stream = ffmpeg.input(f"file:{path.resolve()}").audio
    stream = stream.output("pipe:", format="wav", acodec="pcm_f32le", loglevel="error")
    try:
        wav, _ = stream.global_args("-nostdin").run(
            cmd=program(), capture_stdout=True, capture_stderr=True
        )
    except ffmpeg.Error as error:
        said = error.stderr.decode("utf-8", "replace").strip().splitlines()
        detail = f"ffmpeg cannot decode {path}: {' / '.join(said[-3:])}"
        raise AudioError("undecodable", detail) from None
    return read_wave(wav)


def program() -> str:
    """Return the system's ffmpeg, or the one that the package imageio-ffmpeg brings."""
    if found := shutil.which("ffmpeg"):
        return found
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())
