"""`dataset.json`: what a folder of shards holds.

It is written last: a folder without it is unfinished.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from duovox.data.atomic import atomic_file
from duovox.data.shard.summary import ShardSummary

FORMAT_VERSION = 1
DATASET_FILE, INDEX_FILE = "dataset.json", "index.parquet"
_JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (float, int),
    "tuple": list,
    "dict": dict,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetSummary:
    """Counts, checksums and origin of a data set."""

    name: str
    num_utterances: int
    hours: float
    num_speakers: int
    vocabulary: tuple[str, ...]  # sorted characters of all transcripts
    shards: tuple[ShardSummary, ...]
    command: str = ""  # that made the data set
    digest: str = ""  # of the input and of the settings that shape the shards
    left_out: dict[str, int] = field(default_factory=dict)  # cause -> number of utterances
    format_version: int = FORMAT_VERSION

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the summary of a finished data set.

        Raises:
            ValueError: the folder is missing, no data set, unfinished, or of another format.
        """
        path = folder / DATASET_FILE
        if not path.is_file():
            raise ValueError(_why_no_dataset(folder))
        return cls.parse(path.read_bytes(), str(folder))

    @classmethod
    def parse(cls, content: bytes, folder: str) -> Self:
        """Read the content of a `dataset.json`; `folder` is named in complaints."""
        try:
            found = json.loads(content)
            if isinstance(found, dict):
                _check_version(found.get("format_version"))
            values = _values(cls, found, "it")
            shards = tuple(
                ShardSummary(**_values(ShardSummary, shard, "a shard"))
                for shard in values["shards"]
            )
        except ValueError as error:
            raise ValueError(
                f"{folder}/{DATASET_FILE} is no data set summary ({error}): "
                f"run `duovox shards index {folder}`"
            ) from None
        if odd := [shard.name for shard in shards if Path(shard.name).name != shard.name]:
            raise ValueError(f"{folder}/{DATASET_FILE} names a shard outside its folder: {odd[0]}")
        return cls(**values | {"shards": shards, "vocabulary": tuple(values["vocabulary"])})

    def save(self, folder: Path) -> None:
        """Write `dataset.json`, which declares the folder finished."""
        with atomic_file(folder / DATASET_FILE) as file:
            file.write((json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n").encode())


def _check_version(version: object) -> None:
    if version != FORMAT_VERSION:
        raise ValueError(f"it has format version {version}, this duovox reads {FORMAT_VERSION}")


def _values(record: type, found: Any, what: str) -> dict[str, Any]:
    """Return what JSON holds, or say why a record can't be made of it."""
    if not isinstance(found, dict):
        raise ValueError(f"{what} should be an object, not a {type(found).__name__}")
    known = {one.name: one for one in fields(record)}
    if unknown := sorted(found.keys() - known.keys()):
        raise ValueError(f"{what} has the unknown field {unknown[0]}")
    for name, one in known.items():
        if name in found:
            kind = str(one.type).partition("[")[0]
            if not isinstance(found[name], _JSON_TYPES[kind]):
                raise ValueError(f"{name} should be of type {kind}, not {found[name]!r}")
        elif one.default is MISSING and one.default_factory is MISSING:
            raise ValueError(f"{what} lacks {name}")
    return found


def _why_no_dataset(folder: Path) -> str:
    if not folder.is_dir():
        return f"{folder} is no data set: there is no such folder"
    if any(folder.glob("*.tar")):
        return (
            f"{folder} holds shards but no {DATASET_FILE}: it is unfinished (give its prepare "
            f"command again), in parts (run `duovox shards merge {folder}`) or foreign (run "
            f"`duovox shards index {folder}`)"
        )
    return f"{folder} is no data set: it holds no shards (*.tar) and no {DATASET_FILE}"
