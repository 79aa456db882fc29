"""SPEAKERS.TXT and CHAPTERS.TXT: who is a woman, who is a man, and how long each chapter is.

Both are tables with `|` between the columns and `;` in front of remarks.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

SPEAKERS_FILE, CHAPTERS_FILE = "SPEAKERS.TXT", "CHAPTERS.TXT"
_GENDERS = {"F": "f", "M": "m"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One recording: a chapter of a book, read by one speaker."""

    chapter_id: str
    subset: str
    minutes: float


@dataclass(slots=True)
class Metadata:
    """The two tables, as far as they have been found."""

    genders: dict[str, str] | None = None  # speaker -> "f" or "m"
    chapters: list[Chapter] | None = field(default=None, repr=False)

    @classmethod
    def find(cls, folders: Iterable[Path]) -> Self:
        """Read the tables from the first of these folders that has them."""
        metadata = cls()
        for folder in folders:
            for name in (SPEAKERS_FILE, CHAPTERS_FILE):
                if (folder / name).is_file() and not metadata.has(name):
                    metadata.add(name, (folder / name).read_bytes(), str(folder / name))
        return metadata

    def has(self, name: str) -> bool:
        """Tell whether the table of this file name is known."""
        return (self.genders if name == SPEAKERS_FILE else self.chapters) is not None

    def add(self, name: str, content: bytes, place: str) -> None:
        """Parse the content of one of the two files; ValueError when it is no such table."""
        try:
            rows = list(_rows(content.decode("utf-8", "replace")))
            if name == SPEAKERS_FILE:
                self.genders = {row[0]: _GENDERS[row[1]] for row in rows}
            else:
                self.chapters = [
                    Chapter(chapter_id=row[0], subset=row[3], minutes=float(row[2])) for row in rows
                ]
        except (IndexError, KeyError, ValueError) as error:
            raise ValueError(f"{place} is not LibriSpeech's {name}: {error!r}") from None


def is_metadata(name: str) -> bool:
    """Tell whether a file of this name holds one of the tables."""
    return name.rpartition("/")[2] in (SPEAKERS_FILE, CHAPTERS_FILE)


def validation_chapters(
    chapters: Sequence[Chapter], *, share: float, seed: int
) -> dict[str, frozenset[str]]:
    """Choose whole chapters of each training subset, until they hold `share` of its minutes.

    The choice depends on the numbers of the chapters alone, not on the order of any list.
    """
    subsets: dict[str, list[Chapter]] = defaultdict(list)
    for chapter in chapters:
        if chapter.subset.startswith("train-"):
            subsets[chapter.subset].append(chapter)
    return {
        subset: frozenset(_choose(members, share=share, seed=seed))
        for subset, members in subsets.items()
    }


def _choose(chapters: Sequence[Chapter], *, share: float, seed: int) -> Iterator[str]:
    missing = share * sum(chapter.minutes for chapter in chapters)
    for chapter in sorted(chapters, key=lambda chapter: _draw(chapter, seed)):
        if missing <= 0:
            return
        missing -= chapter.minutes
        yield chapter.chapter_id


def _draw(chapter: Chapter, seed: int) -> bytes:
    """Return a number that is as good as random, and the same on every machine."""
    return hashlib.sha256(f"{seed}/{chapter.chapter_id}".encode()).digest()


def _rows(text: str) -> Iterator[list[str]]:
    for line in text.splitlines():
        if line.strip() and not line.startswith(";"):
            yield [cell.strip() for cell in line.split("|")]
