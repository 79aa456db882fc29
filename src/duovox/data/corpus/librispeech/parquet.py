"""Read the Parquet files in which Hugging Face's hub keeps `librispeech_asr`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from duovox.data.corpus.librispeech.labelling import Labelling, no_tables
from duovox.data.corpus.librispeech.metadata import CHAPTERS_FILE
from duovox.data.corpus.librispeech.place import SUBSETS, Place
from duovox.data.dataset.stream import Delivery
from duovox.data.shard.clip import Clip

_COLUMNS = ("audio", "text", "speaker_id", "chapter_id", "id")
_ROWS_AT_ONCE = 64


def deliveries(paths: Iterable[Path], labelling: Labelling) -> Iterator[Delivery]:
    """Yield the utterances of some files in their order.

    Raises:
        ValueError: a file is no Parquet, lacks a column, lies in a folder that names no subset, or
            the table of the chapters is needed and not there.
    """
    for path in paths:
        dataset = subset_of(path)
        if CHAPTERS_FILE in labelling.missing_tables(dataset):
            raise no_tables(path, [CHAPTERS_FILE])
        for row in _rows(path):
            yield _delivery(row, path, dataset, labelling)


def subset_of(path: Path) -> str:
    """Return the official subset that the folders of a file mean."""
    config, split = path.parent.parent.name, path.parent.name
    words = [config, *split.replace("validation", "dev").replace("_", ".").split(".")]
    for given in (words, words[1:]):
        for subset in SUBSETS:
            if sorted(subset.split("-")) == sorted(given):
                return subset
    if split in SUBSETS:
        return split
    raise ValueError(
        f"{path} lies in no folder that names a subset, such as all/train.clean.100, "
        f"clean/validation or dev-clean; known subsets: {', '.join(SUBSETS)}"
    )


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    from pyarrow import ArrowException, parquet

    try:
        with parquet.ParquetFile(path) as file:
            if missing := sorted(set(_COLUMNS) - set(file.schema_arrow.names)):
                raise ValueError(f"{path} lacks the column {', '.join(missing)}")
            for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE, columns=list(_COLUMNS)):
                yield from batch.to_pylist()
    except ArrowException as error:
        raise ValueError(f"{path} cannot be read as Parquet: {error}") from None


def _delivery(row: dict[str, Any], path: Path, dataset: str, labelling: Labelling) -> Delivery:
    speaker_id, chapter_id = str(row["speaker_id"]), str(row["chapter_id"])
    name = str(row["id"])
    place = Place(
        dataset=dataset,
        speaker_id=speaker_id,
        chapter_id=chapter_id,
        utterance_id=name.rpartition("-")[2],
        source=f"{dataset}/{speaker_id}/{chapter_id}/{name}.flac",
    )
    utterance = labelling.utterance(place, row["text"] or "", path=path, member=name)
    content = (row["audio"] or {}).get("bytes") or b""
    return Delivery(labelling.dataset(place), Clip(utterance, content))
