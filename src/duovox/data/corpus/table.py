"""Read a CSV or JSON file as entries of named text fields that know their place."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a CSV file or one object of a JSON file."""

    place: str  # "train.csv, line 7", for messages
    fields: dict[str, str]

    def first(self, *names: str) -> str:
        """Return the first of these fields that is there and not empty, else ""."""
        return next((self.fields[name] for name in names if self.fields.get(name)), "")


def read_table(path: Path) -> list[Entry]:
    """Return the entries of a `.csv` or `.json` file.

    Raises:
        ValueError: no such file, another format, not readable as that format, or empty.
    """
    readers = {".csv": _read_csv, ".json": _read_json}
    if path.suffix.lower() not in readers:
        raise ValueError(f"a manifest must end in .csv or .json, got {path}")
    if not path.is_file():
        raise ValueError(f"there is no manifest {path}")
    try:
        entries = list(readers[path.suffix.lower()](path))
    except (UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise ValueError(f"{path} cannot be read as {path.suffix[1:].upper()}: {error}") from None
    if not entries:
        raise ValueError(f"{path} has no entries")
    return entries


def _read_csv(path: Path) -> Iterator[Entry]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file, skipinitialspace=True, strict=True)
        for fields in reader:
            place = f"{path}, line {reader.line_num}"
            if None in fields or None in fields.values():
                number = len(reader.fieldnames or ())
                raise ValueError(
                    f"{place} must have {number} values as the header has; put a value with commas "
                    "into double quotes"
                )
            yield Entry(place, {name.strip(): value.strip() for name, value in fields.items()})


def _read_json(path: Path) -> Iterator[Entry]:
    objects = json.loads(path.read_text(encoding="utf-8-sig"))
    if not isinstance(objects, dict) or not all(isinstance(x, dict) for x in objects.values()):
        raise ValueError(f'{path} must hold an object of objects: {{"<ID>": {{"wav": ...}}, ...}}')
    for name, fields in objects.items():
        texts = {field: str(value).strip() for field, value in fields.items() if value is not None}
        yield Entry(f"{path}, entry {name!r}", {"ID": name} | texts)
