"""`index.parquet`: a table with a row per utterance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from duovox.data.atomic import atomic_file
from duovox.data.dataset.summary import INDEX_FILE
from duovox.data.shard.row import Row

if TYPE_CHECKING:
    import pyarrow

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


def read_index(folder: Path) -> pyarrow.Table:
    """Read `index.parquet` as a table, without looking at the shards.

    Raises:
        ValueError: it is missing, or no table of these columns.
    """
    from pyarrow import parquet

    try:
        names = [field.name for field in fields(Row)]
        return parquet.read_table(folder / INDEX_FILE, columns=names, use_threads=False)
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{folder / INDEX_FILE} cannot be read ({error}): run `duovox shards index {folder}`"
        ) from None


def rows_of(table: pyarrow.Table, shard: str) -> tuple[Row, ...]:
    """Return the rows of one shard."""
    from pyarrow import compute

    return tuple(
        Row(**row) for row in table.filter(compute.equal(table["shard"], shard)).to_pylist()
    )
