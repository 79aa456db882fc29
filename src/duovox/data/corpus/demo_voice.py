"""The voices of the demo corpus: who speaks, and how each of them sounds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from duovox.data.corpus.espeak import SpeakingStyle

# Timbres that sound like a person (the first three resonances within a third of the average
# voice's) and that the same seed repeats bit for bit.
_FEMALE_TIMBRES = (
    *("Andrea", "Annie", "aunty", "belinda", "f1", "f2", "f3", "f5", "linda", "steph", "steph3"),
)
_MALE_TIMBRES = (
    *("Alex", "Denis", "Gene", "Henrique", "Mario", "Nguyen", "antonio", "ed", "grandpa", "iven"),
    *("john", "m1", "m2", "m3", "m4", "m5", "m7", "m8", "max", "paul", "pedro", "quincy"),
)
_ACCENTS = ("en", "en-us", "en-029", "en-us-nyc", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan")
# Voices of one timbre, each with a vocal tract, a pitch, an accent and a microphone of its own.
_SPLITS = (*("test",) * 2, "valid", *("train",) * 9)
_FILTER_BANDS = 8  # of a voice's channel: its microphone and room
_FILTER_DB = 6.0  # at most, up or down
_TRACT_LENGTHS = (0.82, 1.2)  # of the voice that a timbre stands for: children to tall people
_PITCHES = (20, 80)  # on eSpeak NG's scale from 0 to 99


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A speaker of the demo corpus."""

    speaker_id: str
    split: str  # "train", "valid" or "test"
    gender: str  # "f" or "m"
    style: SpeakingStyle
    tract_length: float  # relative to the timbre's own; its resonances move with it
    channel_db: NDArray[np.float32]  # gain at equally spaced frequencies, 0 Hz to 8 kHz

    def vary(self, random: np.random.Generator) -> SpeakingStyle:
        """Return the style of one utterance: nobody says two things the same way."""
        return replace(
            self.style,
            words_per_minute=self.style.words_per_minute + int(random.integers(-8, 9)),
            pitch=int(np.clip(self.style.pitch + random.integers(-3, 4), 0, 99)),
            pitch_range=int(np.clip(self.style.pitch_range + random.integers(-10, 11), 0, 99)),
        )


def make_voices(*, seed: int) -> list[Voice]:
    """Return 396 voices; those of valid and test are not heard in training, their timbres are."""
    random = np.random.default_rng((seed, 0))
    voices: list[Voice] = []
    for gender, timbres in (("f", _FEMALE_TIMBRES), ("m", _MALE_TIMBRES)):
        for timbre in timbres:
            # Evenly spread, so that no two voices of a timbre are nearly one.
            tracts = random.permutation(np.linspace(*_TRACT_LENGTHS, len(_SPLITS)))
            pitches = random.permutation(np.linspace(*_PITCHES, len(_SPLITS)))
            for split, tract_length, pitch in zip(_SPLITS, tracts, pitches, strict=True):
                style = SpeakingStyle(
                    voice=f"{random.choice(_ACCENTS)}+{timbre}",
                    words_per_minute=int(random.integers(100, 146)),
                    pitch=round(pitch),
                    pitch_range=int(random.integers(25, 76)),
                )
                voice = Voice(
                    speaker_id=f"voice{len(voices):03d}",
                    split=split,
                    gender=gender,
                    style=style,
                    tract_length=float(tract_length),
                    channel_db=random.uniform(-_FILTER_DB, _FILTER_DB, _FILTER_BANDS).astype(
                        np.float32
                    ),
                )
                voices.append(voice)
    return voices
