"""Turn the audio of an utterance into the FLAC bytes that go into a shard."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from duovox.audio.decode import SAMPLE_RATE, read_wave
from duovox.audio.error import AudioError
from duovox.audio.flac import StreamInfo
from duovox.audio.load import load_wave
from duovox.data.archive.unpacked import unpacked
from duovox.data.utterance import Utterance

_TOLERANCE_SECONDS = 0.025  # between the promised duration and the decoded one
_LOSSY_TOLERANCE_SECONDS = 0.25  # lossy codecs add silence at both ends


def flac_bytes(utterance: Utterance) -> tuple[bytes, int]:
    """Return 16 kHz mono FLAC and its number of samples.

    A file that is exactly that, and whole, keeps its bytes; it is decoded all the same, to find
    damage.

    Raises:
        AudioError: the audio is missing, damaged, not finite, or not as long as promised.
        ArchiveError: it lies in an archive that is damaged.
    """
    with unpacked(utterance.path, utterance.member) as path:
        try:
            content, num_samples = _read(path, utterance)
        except AudioError as error:
            detail = error.detail.replace(str(path), utterance.place)
            raise AudioError(error.cause, detail) from None
    _check_duration(utterance, num_samples / SAMPLE_RATE)
    return content, num_samples


def encode(wave: NDArray[np.float32]) -> bytes:
    """Return a wave (S,) at 16 kHz as 16-bit FLAC; what lies outside [-1, 1] is clipped."""
    import soundfile

    buffer = BytesIO()
    soundfile.write(buffer, wave, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    return buffer.getvalue()


def _read(path: Path, utterance: Utterance) -> tuple[bytes, int]:
    """Return FLAC bytes and their number of samples."""
    start, stop, channel = utterance.start_seconds, utterance.stop_seconds, utterance.channel
    is_part = start is not None or stop is not None or channel
    if not is_part and (kept := _unchanged(path)):
        return kept
    wave = load_wave(path, start_seconds=start, stop_seconds=stop, channel=channel).wave
    return encode(wave), len(wave)


def _unchanged(path: Path) -> tuple[bytes, int] | None:
    """Return the bytes of the file if they can be stored as they are."""
    if not _is_flac(path):
        return None
    content = path.read_bytes()
    header = StreamInfo.parse(content)
    if header and not header.num_samples:
        return None  # written into a pipe: the header does not tell the length
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
    is_exact = Path(utterance.place).suffix.lower() in {".wav", ".flac"}
    tolerance = _TOLERANCE_SECONDS if is_exact else _LOSSY_TOLERANCE_SECONDS
    if abs(seconds - utterance.duration) > tolerance:
        raise AudioError(
            "wrong length",
            f"the source promises {utterance.duration:.3f} s, the audio has {seconds:.3f} s",
        )
