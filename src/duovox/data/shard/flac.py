"""Turn the audio of an utterance into the FLAC bytes that go into a shard."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duovox.audio.decode import SAMPLE_RATE, read_wave
from duovox.audio.error import AudioError
from duovox.audio.load import load_wave
from duovox.data.utterance import Utterance

_TOLERANCE_SECONDS = 0.025  # between the promised duration and the decoded one
_LOSSY_TOLERANCE_SECONDS = 0.25  # lossy codecs add silence at both ends


def flac_bytes(utterance: Utterance) -> tuple[bytes, int]:
    """Return 16 kHz mono FLAC and its number of samples.

    A file that is exactly that, and whole, keeps its bytes; it is decoded all the same, to find
    damage.

    Raises:
        AudioError: the audio is missing, damaged, not finite, or not as long as promised.
    """
    kept = _unchanged(utterance)
    if kept is not None:
        content, num_samples = kept
    else:
        loaded = load_wave(
            utterance.path,
            start_seconds=utterance.start_seconds,
            stop_seconds=utterance.stop_seconds,
        )
        content, num_samples = encode(loaded.wave), len(loaded.wave)
    _check_duration(utterance, num_samples / SAMPLE_RATE)
    return content, num_samples


def encode(wave: NDArray[np.float32]) -> bytes:
    """Return a wave (S,) at 16 kHz as 16-bit FLAC; what lies outside [-1, 1] is clipped."""
    import soundfile

    buffer = BytesIO()
    soundfile.write(buffer, wave, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _unchanged(utterance: Utterance) -> tuple[bytes, int] | None:
    """Return the bytes of the file if they can be stored as they are."""
    is_stretch = utterance.start_seconds is not None or utterance.stop_seconds is not None
    if is_stretch or not _is_flac(utterance.path):
        return None
    content = utterance.path.read_bytes()
    wave, sample_rate = read_wave(content)
    return (content, len(wave)) if wave.ndim == 1 and sample_rate == SAMPLE_RATE else None


def _is_flac(path: Path) -> bool:
    if not path.is_file():
        return False  # load_wave says so in its words
    with path.open("rb") as file:
        return file.read(4) == b"fLaC"


def _check_duration(utterance: Utterance, seconds: float) -> None:
    if utterance.duration is None:
        return
    is_exact = utterance.path.suffix.lower() in {".wav", ".flac"}
    tolerance = _TOLERANCE_SECONDS if is_exact else _LOSSY_TOLERANCE_SECONDS
    if abs(seconds - utterance.duration) > tolerance:
        raise AudioError(
            "wrong length",
            f"the source promises {utterance.duration:.3f} s, the audio has {seconds:.3f} s",
        )
