"""The index of one or several data sets: a row per utterance, columns that load in a moment.

Numbers are numpy arrays, text stays in Arrow memory and becomes `str` when asked for, so that a
million utterances cost a few hundred megabytes and are shared by all workers of a machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from duovox.data.dataset.summary import INDEX_FILE, DatasetSummary
from duovox.data.dataset.texts import Integers, Texts
from duovox.data.listing import listing
from duovox.data.shard.summary import ShardSummary

if TYPE_CHECKING:
    import pyarrow
    from pyarrow import parquet

NUMBERS = ("offset", "size", "num_samples", "sample_rate")
TEXTS = (
    "key",
    "speaker_id",
    "session_id",
    "gender",
    "language",
    "transcript",
    "source",
    "audio_format",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """N utterances: where each lies, how long it is, who speaks, and what is said."""

    shards: tuple[Path, ...]  # tar files
    shard: Integers  # (N,) position in `shards`
    offset: Integers  # (N,) first byte of the audio in its shard
    size: Integers  # (N,) bytes of the audio
    num_samples: Integers  # (N,) length of the wave
    sample_rate: Integers  # (N,) Hz
    key: Texts
    speaker_id: Texts
    session_id: Texts
    gender: Texts
    language: Texts
    transcript: Texts
    source: Texts  # path as the corpus names it
    audio_format: Texts  # "flac" or "wav"

    @classmethod
    def load(cls, folders: Sequence[Path | str]) -> Self:
        """Read the index of one or several data set folders as if they were one.

        Raises:
            ValueError: a folder is no finished data set, a shard is missing or has another size,
                or the index has more or fewer rows than `dataset.json` says.
        """
        if not folders:
            raise ValueError("name at least one data set folder")
        parts = [_Part.open(Path(folder)) for folder in folders]
        columns: dict[str, Any] = {name: _read(parts, name).to_numpy() for name in NUMBERS}
        columns |= {name: Texts(_read(parts, name)) for name in TEXTS}
        shards = tuple(path for part in parts for path in part.shards)
        return cls(shards=shards, shard=_shard_codes(parts), **columns)

    @property
    def keys(self) -> Texts:
        """The keys of all utterances."""
        return self.key

    def __len__(self) -> int:
        return len(self.shard)

    def select(self, rows: NDArray[Any]) -> Self:
        """Return the index of some rows, numbered anew: row numbers, or an (N,) mask."""
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        chosen: dict[str, Any] = {
            name: column.select(rows) if isinstance(column, Texts) else column[rows]
            for name, column in columns.items()
            if name != "shards"
        }
        return replace(self, **chosen)

    def member_name(self, row: int) -> str:
        """Return the name of the audio of a row inside its shard."""
        return f"{self.key[row]}.{self.audio_format[row]}"


@dataclass(frozen=True, slots=True)
class _Part:
    """One data set folder: its tar files and its opened index."""

    shards: list[Path]
    file: parquet.ParquetFile

    @classmethod
    def open(cls, folder: Path) -> Self:
        from pyarrow import parquet

        summary = DatasetSummary.load(folder)
        _check_shards(folder, summary.shards)
        try:
            file = parquet.ParquetFile(folder / INDEX_FILE, memory_map=True)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"{folder / INDEX_FILE} cannot be read ({error}): "
                f"run `duovox shards index {folder}`"
            ) from None
        if missing := sorted({"shard", *NUMBERS, *TEXTS} - {*file.schema_arrow.names}):
            raise ValueError(
                f"{folder / INDEX_FILE} lacks {', '.join(missing)}: "
                f"run `duovox shards index {folder}`"
            )
        if (found := file.metadata.num_rows) != summary.num_utterances:
            raise ValueError(
                f"{folder / INDEX_FILE} has {found} utterances, dataset.json says "
                f"{summary.num_utterances}: run `duovox shards index {folder}`"
            )
        return cls([folder / shard.name for shard in summary.shards], file)


def _check_shards(folder: Path, shards: Sequence[ShardSummary]) -> None:
    wrong = []
    for shard in shards:
        path = folder / shard.name
        found = path.stat().st_size if path.is_file() else None
        if found != shard.size:
            size = "missing" if found is None else f"{found} bytes instead of {shard.size}"
            wrong.append(f"{path}: {size}")
    if wrong:
        raise ValueError(
            f"{len(wrong)} of {len(shards)} shards of {folder} are damaged; restore them or "
            f"prepare again (`duovox shards verify {folder}` tells more):{listing(wrong)}"
        )


def _read(parts: Sequence[_Part], column: str) -> pyarrow.Array:
    """Return a column of all parts; column by column and on one thread, memory peaks low."""
    import pyarrow

    chunks = [part.file.read(columns=[column], use_threads=False)[column].chunks for part in parts]
    return pyarrow.concat_arrays([chunk for group in chunks for chunk in group])


def _shard_codes(parts: Sequence[_Part]) -> Integers:
    """Return (N,) positions in the shards of all parts, whose names may repeat between folders."""
    codes, start = [], 0
    for part in parts:
        encoded = _read([part], "shard").dictionary_encode()
        positions = {path.name: start + number for number, path in enumerate(part.shards)}
        names = encoded.dictionary.to_pylist()
        if unknown := sorted(set(names) - positions.keys()):
            raise ValueError(
                f"index and summary disagree: dataset.json does not name {', '.join(unknown[:3])}; "
                "run `duovox shards index` on the folder"
            )
        values = [positions[name] for name in names]
        codes.append(np.array(values, dtype=np.int64)[encoded.indices.to_numpy()])
        start += len(part.shards)
    return np.concatenate(codes)
