"""Decode WAV and FLAC, whole or in part, and refuse what is damaged."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from duovox.audio.error import AudioError
from duovox.audio.flac import read_whole
from duovox.audio.pcm import open_plain_wav
from duovox.audio.riff import missing_bytes

if TYPE_CHECKING:
    from soundfile import SoundFile

SAMPLE_RATE = 16_000  # Hz, of every wave inside the package
_UNKNOWN_LENGTH = (1 << 63) - 1  # libsndfile's number of samples for headers that tell none


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioInfo:
    """What the header of an audio file says."""

    num_samples: int  # per channel
    sample_rate: int  # Hz
    num_channels: int
    format: str  # libsndfile's name: "FLAC", "WAV", ...


def probe(source: bytes | Path) -> AudioInfo:
    """Read the header of an audio file.

    Raises:
        AudioError: it is no audio file that libsndfile knows, or a WAV file that was cut short.
    """
    with _open(source) as file:
        return _info(file)


def probe_ends(source: bytes | Path) -> AudioInfo:
    """Read the header of an audio file and look at its end, which files cut short lack.

    Raises:
        AudioError: as `read_wave`.
    """
    if isinstance(source, bytes) and (whole := read_whole(source)):
        return AudioInfo(
            num_samples=whole.num_samples,
            sample_rate=whole.sample_rate,
            num_channels=whole.num_channels,
            format="FLAC",
        )
    with _open(source) as file:
        _check_range(0, file.frames, file.frames)
        _check_length(_decode(file, file.frames - 1, 1), 1)
        return _info(file)


def read_wave(
    source: bytes | Path, *, start: int = 0, num_samples: int | None = None
) -> tuple[NDArray[np.float32], int]:
    """Decode `num_samples` samples from `start` on (all by default), and no more than these.

    Returns:
        The wave, (S,) for mono and (S, C) for C channels, float32 in [-1, 1], and its sample rate.

    Raises:
        AudioError: undecodable, empty or cut short, asked beyond its end, or not finite.
    """
    if isinstance(source, bytes) and (plain := open_plain_wav(source)):
        wanted = len(plain.pcm) - start if num_samples is None else num_samples
        _check_range(start, wanted, len(plain.pcm))
        return plain.wave(start, wanted), plain.sample_rate
    with _open(source) as file:
        wanted = file.frames - start if num_samples is None else num_samples
        _check_range(start, wanted, file.frames)
        wave = _decode(file, start, wanted)
        sample_rate = file.samplerate
    _check_length(wave, wanted)
    if not np.isfinite(wave).all():
        number = np.count_nonzero(~np.isfinite(wave))
        raise AudioError("not finite", f"{number} samples are NaN or infinite")
    return wave, sample_rate


def _info(file: SoundFile) -> AudioInfo:
    return AudioInfo(
        num_samples=file.frames,
        sample_rate=file.samplerate,
        num_channels=file.channels,
        format=file.format,
    )


def _open(source: bytes | Path) -> SoundFile:
    """Open bytes or a file; complain about WAV files that promise more than they hold."""
    import soundfile

    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        _check_complete(stream)
    try:
        file = soundfile.SoundFile(BytesIO(source) if isinstance(source, bytes) else source)
    except soundfile.LibsndfileError as error:
        raise AudioError("undecodable", f"not decodable: {error.error_string}") from None
    if file.frames >= _UNKNOWN_LENGTH:
        file.close()
        raise AudioError(
            "undecodable", "its header does not tell its length: it was written into a pipe"
        )
    return file


def _check_complete(stream: BinaryIO) -> None:
    if missing := missing_bytes(stream):
        raise AudioError(
            "cut short", f"the WAV header promises {missing} bytes more than there are"
        )


def _check_range(start: int, wanted: int, num_frames: int) -> None:
    if num_frames == 0:
        raise AudioError("no samples", "the audio has no samples")
    if start < 0 or wanted < 1 or start + wanted > num_frames:
        raise AudioError(
            "out of range",
            f"samples {start} to {start + wanted} must lie within the {num_frames} of the audio",
        )


def _check_length(wave: NDArray[np.float32], wanted: int) -> None:
    if len(wave) < wanted:
        raise AudioError("cut short", f"only {len(wave)} of {wanted} samples could be decoded")


def _decode(file: SoundFile, start: int, wanted: int) -> NDArray[np.float32]:
    import soundfile

    try:
        if start:  # seeking costs the decoding of a frame
            file.seek(start)
        wave: NDArray[np.float32] = file.read(wanted, dtype="float32")
    except soundfile.LibsndfileError as error:
        raise AudioError("undecodable", f"not decodable: {error.error_string}") from None
    return wave
