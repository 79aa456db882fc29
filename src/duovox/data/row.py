"""The rows of `index.parquet`, and how they get there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from duovox.data.atomic import atomic_file
from duovox.data.dataset import INDEX_FILE


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One utterance of a shard."""

    key: str
    shard: str  # file name
    offset: int  # first byte of the audio in the shard
    size: int  # bytes of the audio
    num_samples: int
    sample_rate: int  # Hz
    speaker_id: str
    session_id: str
    gender: str
    language: str
    transcript: str
    source: str
    audio_format: str  # "flac" or "wav"


_FEW_VALUES = ["shard", "speaker_id", "gender", "language", "audio_format"]  # worth a dictionary


def write_index(folder: Path, rows: Sequence[Row]) -> None:
    """Write `index.parquet`."""
    import pyarrow
    from pyarrow import parquet

    kinds = {"int": pyarrow.int64(), "str": pyarrow.large_string()}
    schema = pyarrow.schema([(field.name, kinds[str(field.type)]) for field in fields(Row)])
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(Row)}
    table = pyarrow.table(columns, schema=schema)
    with atomic_file(folder / INDEX_FILE) as file:
        parquet.write_table(table, file, compression="zstd", use_dictionary=_FEW_VALUES)
