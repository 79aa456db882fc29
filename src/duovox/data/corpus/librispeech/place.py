"""What the name of an audio file says: data set, speaker, chapter, utterance.

`LibriSpeech/train-clean-100/19/198/19-198-0000.flac` is utterance 0000 that reader 19 read of
chapter 198. Libri-light's training sets (`librispeech_finetuning.tgz`) put `1h/<0 to 5>/clean`,
`1h/<0 to 5>/other`, `9h/clean` and `9h/other` in place of the subset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SUBSETS = (
    "train-clean-100",
    "train-clean-360",
    "train-other-500",
    "dev-clean",
    "dev-other",
    "test-clean",
    "test-other",
)
_AUDIO = re.compile(r"(?:(.*)/)?(\d+)/(\d+)/(\d+)-(\d+)-(\d+)\.flac")
_TRANSCRIPTS = re.compile(r"(?:.*/)?(\d+)/(\d+)/\1-\2\.trans\.txt")
_LIMITED = re.compile(r"(?:.*/)?((?:1h/(?P<tenth>\d)|9h)/(?:clean|other))")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an utterance belongs."""

    dataset: str  # "train-clean-100", "librilight-10m", ...
    speaker_id: str
    chapter_id: str
    utterance_id: str  # the last number: "0000"
    source: str  # "train-clean-100/19/198/19-198-0000.flac", "1h/0/clean/...": below the root

    @property
    def name(self) -> str:
        """The name of the utterance in the transcripts."""
        return f"{self.speaker_id}-{self.chapter_id}-{self.utterance_id}"


def parse_audio(name: str) -> Place | None:
    """Return the place of an audio file; None for names of another form."""
    match = _AUDIO.fullmatch(name)
    if match is None:
        return None
    root, speaker_id, chapter_id, *repeated, utterance_id = match.groups()
    if repeated != [speaker_id, chapter_id]:
        return None
    dataset, folder = _dataset(root or "")
    return Place(
        dataset=dataset,
        speaker_id=speaker_id,
        chapter_id=chapter_id,
        utterance_id=utterance_id,
        source=f"{folder}/{speaker_id}/{chapter_id}/{name.rpartition('/')[2]}",
    )


def is_transcripts(name: str) -> bool:
    """Tell whether a file holds the transcripts of the chapter in whose folder it lies."""
    return _TRANSCRIPTS.fullmatch(name) is not None


def is_limited(dataset: str) -> bool:
    """Tell whether a data set is one of Libri-light's."""
    return dataset.startswith("librilight-")


def _dataset(root: str) -> tuple[str, str]:
    """Return the data set for the folder above the speakers, and the official part of its path.

    Libri-light's sets contain each other; here they are cut into three that do not: 10 minutes
    (`1h/0`), the other 50 minutes of the hour, and the other 9 of the ten hours.
    """
    limited = _LIMITED.fullmatch(root)
    if limited is None:
        subset = root.rpartition("/")[2] or "librispeech"
        return subset, subset
    if limited["tenth"] is None:
        return "librilight-9h", limited[1]
    return "librilight-10m" if limited["tenth"] == "0" else "librilight-50m", limited[1]
