"""Decide for each utterance its data set, its key, and all that is known about it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from duovox.data.corpus.librispeech.metadata import (
    CHAPTERS_FILE,
    SPEAKERS_FILE,
    Metadata,
    validation_chapters,
)
from duovox.data.corpus.librispeech.place import Place, is_limited
from duovox.data.utterance import Utterance, make_key

VALIDATION_SUFFIX = "-val"


class Labelling:
    """What the tables of the corpus say, and which chapters are set aside for validation.

    Args:
        metadata: May still be empty, and be filled while the corpus is read.
        validation_share: Of the minutes of each training subset, in whole chapters.
        seed: Of the choice of chapters.
    """

    def __init__(self, metadata: Metadata, *, validation_share: float, seed: int) -> None:
        if not 0 <= validation_share < 1:
            raise ValueError(f"validation_share must lie in [0, 1), got {validation_share}")
        self.metadata = metadata
        self._share = validation_share
        self._seed = seed

    def missing_tables(self, dataset: str) -> list[str]:
        """Return the names of the tables without which the data set cannot be labelled."""
        if is_limited(dataset):  # their archive has no tables
            return []
        names = [SPEAKERS_FILE] + [CHAPTERS_FILE] * self._is_divided(dataset)
        return [name for name in names if not self.metadata.has(name)]

    def dataset(self, place: Place) -> str:
        """Return the data set of an utterance, or that of the validation chapters beside it."""
        if not self._is_divided(place.dataset):
            return place.dataset
        is_set_aside = place.chapter_id in self._validation.get(place.dataset, ())
        return place.dataset + VALIDATION_SUFFIX * is_set_aside

    def utterance(
        self, place: Place, transcript: str, *, path: Path, member: str = ""
    ) -> Utterance:
        """Describe an utterance whose audio is `path`, or `member` of the archive at `path`."""
        genders = self.metadata.genders or {}
        return Utterance(
            key=make_key(place.speaker_id, place.chapter_id, place.utterance_id),
            path=path,
            member=member,
            source=place.source,
            speaker_id=place.speaker_id,
            session_id=place.chapter_id,
            gender=genders.get(place.speaker_id, ""),
            language="en",
            transcript=transcript,
        )

    def _is_divided(self, dataset: str) -> bool:
        return self._share > 0 and dataset.startswith("train-")

    @cached_property
    def _validation(self) -> dict[str, frozenset[str]]:
        chapters = self.metadata.chapters or []
        return validation_chapters(chapters, share=self._share, seed=self._seed)


def no_tables(source: Path, names: list[str]) -> ValueError:
    """Return the complaint about tables that a source lacks."""
    return ValueError(
        f"{source} has no {' and no '.join(names)}, which tell the speakers' gender and the length "
        "of the chapters: every official archive holds both; name a folder that has them "
        "(--metadata FOLDER)"
    )
