"""The synthesiser speaks as told, the same each time, and says what is wrong."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

from duovox.data.corpus.espeak import SpeakingStyle, open_speech

STYLE = SpeakingStyle(voice="en-us+m3", words_per_minute=170, pitch=50, pitch_range=50)


def speak(text: str, style: SpeakingStyle = STYLE) -> np.ndarray:
    with open_speech(seed=0) as speech:
        return speech.speak(text, style=style)


def fundamental_hz(wave: np.ndarray, sample_rate: int = 22050) -> float:
    """Find the pitch as the lag between 60 and 400 Hz at which the wave is most like itself."""
    spectrum = np.fft.rfft(wave, 2 * len(wave))
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[: len(wave)]
    shortest, longest = sample_rate // 400, sample_rate // 60
    return sample_rate / (shortest + int(np.argmax(correlation[shortest:longest])))


def test_a_fresh_start_repeats_every_sample():
    np.testing.assert_array_equal(speak("one four seven"), speak("one four seven"))


def test_more_words_take_longer():
    assert len(speak("one four seven nine")) > 1.5 * len(speak("one four"))


def test_a_slower_speaker_takes_longer():
    slow, fast = (replace(STYLE, words_per_minute=rate) for rate in (120, 240))
    assert len(speak("bring the box", slow)) > 1.4 * len(speak("bring the box", fast))


def test_a_higher_pitch_is_heard():
    low, high = (replace(STYLE, pitch=pitch, pitch_range=0) for pitch in (20, 80))
    assert fundamental_hz(speak("nine", high)) > 1.2 * fundamental_hz(speak("nine", low))


def test_an_unknown_voice_is_named():
    with pytest.raises(ValueError, match=r"refused the voice 'nobody'"):
        speak("one", replace(STYLE, voice="nobody"))


def test_a_missing_synthesiser_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "espeakng_loader", None)
    with pytest.raises(ValueError, match="poetry install --with demo"):
        speak("one")
