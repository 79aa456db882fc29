"""The index of one or several data sets: a row per utterance, columns that load in a moment.

Numbers are numpy arrays, text stays in Arrow memory and becomes `str` when asked for, so that a
million utterances cost a few hundred megabytes and are shared by all workers of a machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, overload

import numpy as np
from numpy.typing import NDArray

from duovox.data.dataset import INDEX_FILE, DatasetSummary

if TYPE_CHECKING:
    import pyarrow

Integers = NDArray[np.int64]

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


class Texts(Sequence[str]):
    """A column of text: a sequence of `str` that keeps its bytes in Arrow memory."""

    def __init__(self, array: pyarrow.Array) -> None:
        self._array = array

    def __len__(self) -> int:
        return len(self._array)

    @overload
    def __getitem__(self, row: int) -> str: ...
    @overload
    def __getitem__(self, row: slice) -> list[str]: ...
    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            return list(self._array[row].to_pylist())
        return str(self._array[int(row)].as_py())

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), 65536):
            yield from self[start : start + 65536]

    def take(self, rows: NDArray[np.integer[Any]]) -> list[str]:
        """Return the text of some rows, in their order."""
        return list(self._array.take(rows).to_pylist())

    def codes(self) -> tuple[Integers, tuple[str, ...]]:
        """Return (N,) codes and the sorted distinct values that they point to."""
        encoded = self._array.dictionary_encode()
        values = np.array(encoded.dictionary.to_pylist(), dtype=object)
        order = np.argsort(values, kind="stable")
        ranks = np.empty(len(values), dtype=np.int64)
        ranks[order] = np.arange(len(values))
        codes = ranks[encoded.indices.to_numpy()] if len(values) else np.empty(0, dtype=np.int64)
        return codes, tuple(values[order])

    def select(self, rows: NDArray[np.integer[Any]]) -> Texts:
        """Return the column of some rows."""
        return Texts(self._array.take(rows))


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
            ValueError: a folder is no finished data set, or a shard is missing or has another size.
        """
        import pyarrow

        if not folders:
            raise ValueError("name at least one data set folder")
        shards: list[Path] = []
        tables, codes = [], []
        for folder in map(Path, folders):
            table, names = _read_table(folder)
            codes.append(names.codes + len(shards))
            shards += names.paths
            tables.append(table)
        table = pyarrow.concat_tables(tables).combine_chunks()
        return cls(shards=tuple(shards), shard=np.concatenate(codes), **_columns(table))

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
class _ShardNames:
    paths: list[Path]
    codes: Integers


def _read_table(folder: Path) -> tuple[pyarrow.Table, _ShardNames]:
    """Read one index.parquet after checking that the shards beside it are there in full."""
    from pyarrow import parquet

    summary = DatasetSummary.load(folder)
    _check_shards(folder, summary)
    try:
        table = parquet.read_table(folder / INDEX_FILE)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{folder / INDEX_FILE} cannot be read ({error}): run `duovox shards index {folder}`"
        ) from None
    encoded = table["shard"].combine_chunks().dictionary_encode()
    known = {shard.name: number for number, shard in enumerate(summary.shards)}
    local = np.array([known[name] for name in encoded.dictionary.to_pylist()], dtype=np.int64)
    codes = local[encoded.indices.to_numpy()]
    return table, _ShardNames([folder / shard.name for shard in summary.shards], codes)


def _check_shards(folder: Path, summary: DatasetSummary) -> None:
    wrong = []
    for shard in summary.shards:
        path = folder / shard.name
        found = path.stat().st_size if path.is_file() else None
        if found != shard.size:
            size = "missing" if found is None else f"{found} bytes instead of {shard.size}"
            wrong.append(f"{path}: {size}")
    if wrong:
        raise ValueError(
            f"{len(wrong)} of {len(summary.shards)} shards of {folder} are damaged: "
            f"{'; '.join(wrong[:10])}. `duovox shards verify {folder}` tells more; "
            "restore them or prepare again"
        )


def _columns(table: pyarrow.Table) -> dict[str, Any]:
    chunks = {name: table[name].combine_chunks() for name in (*NUMBERS, *TEXTS)}
    numbers = {name: chunks[name].to_numpy() for name in NUMBERS}
    return numbers | {name: Texts(chunks[name]) for name in TEXTS}
