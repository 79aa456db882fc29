"""The voices of the demo corpus: who speaks, and how each of them sounds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from duovox.data.corpus.espeak import SpeakingStyle

# Timbres that sound like a person and that the same seed repeats bit for bit.
_FEMALE_TIMBRES = (
    *("Alicia", "Andrea", "Annie", "anika", "aunty", "belinda", "f1", "f2", "f3", "f4", "f5"),
    *("grandma", "linda", "shelby", "steph", "steph2", "steph3"),
)
_MALE_TIMBRES = (
    *("Alex", "Andy", "Denis", "Diogo", "Gene", "Henrique", "Hugo", "Jacky", "Lee", "Marco"),
    *("Mario", "Michael", "Mike", "Nguyen", "antonio", "boris", "ed", "grandpa", "gustave"),
    *("ian", "iven", "john", "kaukovalta", "m1", "m2", "m3", "m4", "m5", "m7", "m8", "marcelo"),
    *("max", "paul", "pedro", "quincy"),
)
_ACCENTS = ("en", "en-us", "en-029", "en-us-nyc", "en-gb-scotland", "en-gb-x-rp", "en-gb-x-gbclan")
# Shares of the timbres: a timbre, hence a voice, belongs to one split.
_VALID_SHARE, _TEST_SHARE = 0.12, 0.2
_VOICES_PER_TIMBRE = 4
_FILTER_BANDS = 8  # of a voice's channel: its microphone and room
_FILTER_DB = 8.0  # at most, up or down
_TRACT_LENGTHS = (0.87, 1.15)  # of the voice that a timbre stands for: children to tall people


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
            words_per_minute=self.style.words_per_minute + int(random.integers(-15, 16)),
            pitch=int(np.clip(self.style.pitch + random.integers(-3, 4), 0, 99)),
            pitch_range=int(np.clip(self.style.pitch_range + random.integers(-10, 11), 0, 99)),
        )


def make_voices(*, seed: int) -> list[Voice]:
    """Return 208 voices; no timbre of valid or test is heard in training."""
    random = np.random.default_rng((seed, 0))
    voices: list[Voice] = []
    for gender, timbres in (("f", _FEMALE_TIMBRES), ("m", _MALE_TIMBRES)):
        num_test = round(_TEST_SHARE * len(timbres))
        num_valid = round(_VALID_SHARE * len(timbres))
        for place, number in enumerate(random.permutation(len(timbres))):
            split = "test" if place < num_test else "train"
            split = "valid" if num_test <= place < num_test + num_valid else split
            for accent in random.choice(_ACCENTS, _VOICES_PER_TIMBRE, replace=False):
                speaker_id = f"voice{len(voices):03d}"
                voice = f"{accent}+{timbres[number]}"
                voices.append(_make_voice(speaker_id, split, gender, voice, random))
    return voices


def _make_voice(
    speaker_id: str, split: str, gender: str, voice: str, random: np.random.Generator
) -> Voice:
    return Voice(
        speaker_id=speaker_id,
        split=split,
        gender=gender,
        style=SpeakingStyle(
            voice=voice,
            words_per_minute=int(random.integers(140, 201)),
            pitch=int(random.integers(15, 86)),
            pitch_range=int(random.integers(25, 76)),
        ),
        tract_length=float(random.uniform(*_TRACT_LENGTHS)),
        channel_db=random.uniform(-_FILTER_DB, _FILTER_DB, _FILTER_BANDS).astype(np.float32),
    )
