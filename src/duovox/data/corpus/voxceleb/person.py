"""Read the tables of VoxCeleb's speakers: `vox1_meta.csv`, `vox2_meta.csv`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Corpus = Literal["voxceleb1", "voxceleb2"]
CORPORA: tuple[Corpus, Corpus] = ("voxceleb1", "voxceleb2")
_FILES = ("vox1_meta.csv", "vox2_meta.csv")
_GENDERS, _PORTIONS = ("f", "m"), ("dev", "test")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """What VoxCeleb says about a speaker."""

    speaker_id: str  # "id10001"
    corpus: Corpus
    gender: str  # "f" or "m"
    portion: str  # "dev" or "test"


def read_people(folder: Path) -> dict[str, Person]:
    """Return the speakers of both tables, or of the one that is in the folder, by id.

    Raises:
        ValueError: there is no table, one lacks a column, or a line of it does not fit.
    """
    paths = [folder / name for name in _FILES if (folder / name).is_file()]
    if not paths:
        raise ValueError(
            f"{folder} must hold {' and '.join(_FILES)}, it has neither: "
            "scripts/download/download_voxceleb_meta.sh fetches them"
        )
    people = [person for path in paths for person in _read(path)]
    return {person.speaker_id: person for person in people}


def _read(path: Path) -> Iterable[Person]:
    """Yield the speakers of one table; 1 is split by tabs, 2 by commas with spaces around them."""
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    mark = "\t" if "\t" in "".join(lines[:1]) else ","
    rows = [[word.strip() for word in line.split(mark)] for line in lines]
    columns = {_column(word): place for place, word in enumerate(rows[0] if rows else [])}
    if missing := {"voxceleb_id", "gender", "set"} - columns.keys():
        raise ValueError(
            f"{path} lacks the column {', '.join(sorted(missing))} (an official table has "
            f"`VoxCeleb1 ID` or `VoxCeleb2 ID`, `Gender` and `Set`); it begins {lines[:1]}"
        )
    for number, row in enumerate(rows[1:], 2):
        if row != [""]:
            yield _person(row, columns, place=f"{path}, line {number}")


def _column(word: str) -> str:
    """Return a column's name in one spelling: `VoxCeleb2 ID ` is `voxceleb_id`."""
    return word.lower().replace("celeb1", "celeb").replace("celeb2", "celeb").replace(" ", "_")


def _person(row: list[str], columns: Mapping[str, int], *, place: str) -> Person:
    fields = {name: row[at] for name, at in columns.items() if at < len(row)}
    speaker_id = fields.get("voxceleb_id", "")
    gender, portion = fields.get("gender", "").lower(), fields.get("set", "").lower()
    if not speaker_id.startswith("id") or gender not in _GENDERS or portion not in _PORTIONS:
        raise ValueError(f"{place}: {row} must hold an id, m or f, and dev or test")
    return Person(
        speaker_id=speaker_id,
        corpus=CORPORA[not speaker_id.startswith("id1")],  # 1 begins at id10001, 2 ends at id09272
        gender=gender,
        portion=portion,
    )
