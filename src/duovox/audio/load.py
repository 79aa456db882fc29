"""Load any audio file as the wave that the networks take, and say what was done to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from duovox.audio.channels import count_channels, mix_down, pick_channel
from duovox.audio.decode import SAMPLE_RATE, probe, read_wave
from duovox.audio.error import AudioError
from duovox.audio.ffmpeg import convert_to_wav, decode_any
from duovox.audio.resample import resample


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedWave:
    """A wave and the changes that were needed."""

    wave: NDArray[np.float32]  # (S,) mono, 16 kHz
    notes: tuple[str, ...]  # "mixed down 2 channels", "resampled from 44100 Hz", ...


def load_wave(
    path: Path,
    *,
    start_seconds: float | None = None,
    stop_seconds: float | None = None,
    channel: int | None = None,
) -> LoadedWave:
    """Read an audio file of any format, rate and number of channels, or a stretch of it.

    Args:
        channel: The one to take, 0 is the first; by default, the mean of all.

    Raises:
        AudioError: missing, undecodable, cut short, empty, not finite, or shorter or of fewer
            channels than asked.
    """
    notes = []
    start = start_seconds or 0.0
    if _is_known(path):
        wave, sample_rate = _read_stretch(path, start, stop_seconds)
    else:
        wave, sample_rate = decode_any(path)
        wave = wave[_stretch(start, stop_seconds, sample_rate, len(wave))]
        notes.append(f"decoded {path.suffix.lstrip('.') or 'it'} with ffmpeg")
    if (channels := count_channels(wave)) > 1:
        mixed = f"mixed down {channels} channels"
        notes.append(mixed if channel is None else f"took channel {channel} of {channels}")
    wave = mix_down(wave) if channel is None else pick_channel(wave, channel)
    if sample_rate != SAMPLE_RATE:
        notes.append(f"resampled from {sample_rate} Hz")
    wave = resample(wave, sample_rate, SAMPLE_RATE)
    return LoadedWave(wave=wave, notes=tuple(notes))


def count_samples(path: Path) -> int:
    """Return the length at 16 kHz of a file that libsndfile knows, from its header alone."""
    header = probe(path)
    return -(-header.num_samples * SAMPLE_RATE // header.sample_rate)  # rounded up


@contextmanager
def readable_in_stretches(path: Path) -> Iterator[Path]:
    """Give a file whose stretches can be read without the rest: the file, or a copy as WAV.

    Raises:
        AudioError: missing or undecodable.
    """
    if _is_known(path):
        yield path
        return
    with TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.wav"
        convert_to_wav(path, copy)
        yield copy


def _is_known(path: Path) -> bool:
    """Tell whether libsndfile can open the file; complaints about damage pass through."""
    if not path.is_file():
        raise AudioError("missing", f"there is no audio file {path}")
    try:
        probe(path)
    except AudioError as error:
        if error.cause != "undecodable":
            raise
        return False
    return True


def _read_stretch(path: Path, start: float, stop: float | None) -> tuple[NDArray[np.float32], int]:
    header = probe(path)
    part = _stretch(start, stop, header.sample_rate, header.num_samples)
    return read_wave(path, start=part.start, num_samples=part.stop - part.start)


def _stretch(start: float, stop: float | None, sample_rate: int, num_samples: int) -> slice:
    if num_samples == 0:
        raise AudioError("no samples", "the audio has no samples")
    first = round(start * sample_rate)
    last = num_samples if stop is None else round(stop * sample_rate)
    if not 0 <= first < last <= num_samples:
        raise AudioError(
            "out of range",
            f"the stretch from {start} to {stop or 'its end'} s must lie within the audio, "
            f"which lasts {num_samples / sample_rate:.3f} s",
        )
    return slice(first, last)
