"""An utterance whose audio has been read already, and the bytes of it that go into a shard."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from duovox.audio.channels import mix_down
from duovox.audio.decode import SAMPLE_RATE, AudioInfo, probe_ends, read_wave
from duovox.audio.error import AudioError
from duovox.audio.resample import resample
from duovox.data.fault import Fault
from duovox.data.shard.flac import encode
from duovox.data.shard.write import LoadedUtterance, load_utterance
from duovox.data.utterance import Utterance

AudioFormat = Literal["flac", "wav"]


@dataclass(frozen=True, slots=True)
class Clip:
    """An utterance and its audio file, as a stream delivers them."""

    utterance: Utterance
    content: bytes


def load_clip(
    clip: Clip, *, audio_format: AudioFormat = "flac", is_vouched: bool = True
) -> LoadedUtterance | Fault:
    """Return the audio of a clip as a shard stores it, or why it has none.

    Args:
        is_vouched: A checksum stands for the bytes: FLAC of 16 kHz and one channel is stored after
            a look at its header and its last sample. Otherwise all of it is decoded.
    """
    try:
        info = probe_ends(clip.content)
        if audio_format == "flac" and _fits(info) and is_vouched:
            return LoadedUtterance(clip.utterance, clip.content, info.num_samples)
        wave, sample_rate = read_wave(clip.content)
        if audio_format == "flac" and _fits(info):
            return LoadedUtterance(clip.utterance, clip.content, len(wave))
        wave = resample(mix_down(wave), sample_rate, SAMPLE_RATE)
        content = encode(wave) if audio_format == "flac" else wav_bytes(wave)
        return LoadedUtterance(clip.utterance, content, len(wave), audio_format)
    except AudioError as error:
        utterance = clip.utterance
        return Fault(where=utterance.place, key=utterance.key, cause=error.cause, detail=str(error))


def load_as(utterance: Utterance, *, audio_format: AudioFormat) -> LoadedUtterance | Fault:
    """Read the audio of an utterance from its file, in the wanted format."""
    loaded = load_utterance(utterance)
    if audio_format == "flac" or isinstance(loaded, Fault):
        return loaded
    return replace(loaded, audio=wav_bytes(read_wave(loaded.audio)[0]), audio_format=audio_format)


def wav_bytes(wave: NDArray[np.float32]) -> bytes:
    """Return a wave (S,) at 16 kHz as 16-bit WAV; 16-bit samples come out as they went in."""
    import soundfile

    samples = np.clip(np.rint(wave * 32_768), -32_768, 32_767).astype(np.int16)
    buffer = BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _fits(info: AudioInfo) -> bool:
    """Tell whether FLAC bytes can be stored as they are."""
    return (info.format, info.sample_rate, info.num_channels) == ("FLAC", SAMPLE_RATE, 1)
