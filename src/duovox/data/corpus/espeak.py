"""Speak English text with the eSpeak NG library: the only file that calls C.

Source: eSpeak NG's public header `speak_lib.h`; the numbers below are its enumerators.
"""

from __future__ import annotations

import _ctypes
import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_SYNCHRONOUS_RETRIEVAL = 2  # samples come to the callback before espeak_Synth returns
_DO_NOT_EXIT_ON_ERROR = 0x8000
_POSITION_IN_CHARACTERS = 1
_TEXT_IS_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_OK = 0
_FULL_SCALE = 32768  # of 16-bit samples

_ON_SAMPLES = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeakingStyle:
    """How a text is spoken."""

    voice: str  # accent + variant, such as "en-us+f3"
    words_per_minute: int
    pitch: int  # 0 to 99, 50 = the voice's own
    pitch_range: int  # 0 to 99, 0 = monotone, 50 = the voice's own


class Speech:
    """A started speech synthesiser; `open_speech` gives one."""

    def __init__(self, library: ctypes.CDLL, sample_rate: int) -> None:
        self.sample_rate = sample_rate  # Hz
        self._library = library
        self._parts: list[NDArray[np.int16]] = []
        self._on_samples = _ON_SAMPLES(self._collect)  # C keeps only the address
        library.espeak_SetSynthCallback(self._on_samples)

    def speak(self, text: str, *, style: SpeakingStyle) -> NDArray[np.float32]:
        """Return the spoken wave (S,) in [-1, 1] at `sample_rate`.

        Raises:
            ValueError: the library does not know the voice or cannot speak the text.
        """
        _check(self._library.espeak_SetVoiceByName(style.voice.encode()), f"voice {style.voice!r}")
        settings = (
            (_RATE, style.words_per_minute),
            (_PITCH, style.pitch),
            (_RANGE, style.pitch_range),
        )
        for parameter, value in settings:
            _check(self._library.espeak_SetParameter(parameter, value, 0), f"style {style}")
        self._parts.clear()
        content = text.encode()
        status = self._library.espeak_Synth(
            content, len(content) + 1, 0, _POSITION_IN_CHARACTERS, 0, _TEXT_IS_UTF8, None, None
        )
        _check(status, f"text {text!r}")
        samples = np.concatenate(self._parts)
        return (samples / np.float32(_FULL_SCALE)).astype(np.float32)

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], num_samples: int, _: int) -> int:
        if samples and num_samples:
            # The library writes its next samples into the same memory.
            self._parts.append(np.ctypeslib.as_array(samples, (num_samples,)).copy())
        return 0  # go on


@contextmanager
def open_speech(*, seed: int) -> Iterator[Speech]:
    """Start the synthesiser afresh, so that the same calls give the same samples.

    Raises:
        ValueError: the package `espeakng-loader` is not installed.
    """
    library_path, voices_path = _find_library()
    library = ctypes.CDLL(library_path)
    library.espeak_Synth.argtypes = [
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_uint,
        ctypes.c_int,
        ctypes.c_uint,
        ctypes.c_uint,
        ctypes.c_void_p,
        ctypes.c_void_p,
    ]
    sample_rate = library.espeak_Initialize(
        _SYNCHRONOUS_RETRIEVAL, 0, str(Path(voices_path).parent).encode(), _DO_NOT_EXIT_ON_ERROR
    )
    if sample_rate < 1:
        raise ValueError(f"eSpeak NG found no voices in {voices_path}; reinstall espeakng-loader")
    library.espeak_ng_SetRandSeed(ctypes.c_long(seed))
    try:
        yield Speech(library, sample_rate)
    finally:
        library.espeak_Terminate()
        _ctypes.dlclose(library._handle)  # its random phases start anew when it is loaded again


def _find_library() -> tuple[str, str]:
    try:
        import espeakng_loader
    except ModuleNotFoundError as error:
        raise ValueError(
            "the demo corpus is spoken by eSpeak NG, which is not installed: "
            "run `poetry install --with demo`, or `pip install espeakng-loader`"
        ) from error
    return espeakng_loader.get_library_path(), espeakng_loader.get_data_path()


def _check(status: int, what: str) -> None:
    if status != _OK:
        raise ValueError(f"eSpeak NG refused the {what} (status {status})")
