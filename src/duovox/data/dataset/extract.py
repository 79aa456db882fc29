"""Write some rows of data sets into a data set of their own; the audio bytes stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from duovox.batch import SAMPLE_RATE
from duovox.data.dataset.index import Index
from duovox.data.dataset.reader import ShardReader
from duovox.data.dataset.summary import DatasetSummary
from duovox.data.dataset.write import ShardOptions, write_dataset
from duovox.data.fault import Fault
from duovox.data.shard.write import LoadedUtterance
from duovox.data.utterance import Utterance


def extract(
    index: Index,
    folder: Path,
    *,
    name: str,
    options: ShardOptions,
    on_utterance: Callable[[], object] = lambda: None,
) -> tuple[DatasetSummary, list[Fault]]:
    """Write all rows of an index (`Index.select` chooses them) into shards of their own.

    Args:
        options: As for any data set; the bytes are copied by this process alone.

    Raises:
        ValueError: as `write_dataset`, or audio of another sample rate than 16 kHz.
    """
    if (index.sample_rate != SAMPLE_RATE).any():
        raise ValueError(
            f"the audio has {sorted({*index.sample_rate.tolist()})} Hz, but data sets are written "
            f"with {SAMPLE_RATE} Hz alone: prepare it from its files"
        )
    rows = {key: row for row, key in enumerate(index.key)}
    reader = ShardReader(index)

    def load(utterance: Utterance) -> LoadedUtterance | Fault:
        row = rows[utterance.key]
        try:
            content = reader.read(row)
        except ValueError as error:
            place, key = utterance.place, utterance.key
            return Fault(where=place, key=key, cause="damaged shard", detail=str(error))
        num_samples, audio_format = int(index.num_samples[row]), index.audio_format[row]
        return LoadedUtterance(utterance, content, num_samples, audio_format)

    try:
        utterances = [_utterance(index, row) for row in range(len(index))]
        return write_dataset(
            utterances, folder, name=name, options=options, load=load, on_utterance=on_utterance
        )
    finally:
        reader.close()


def _utterance(index: Index, row: int) -> Utterance:
    return Utterance(
        key=index.key[row],
        path=index.shards[index.shard[row]],
        source=index.source[row],
        speaker_id=index.speaker_id[row],
        session_id=index.session_id[row],
        gender=index.gender[row],
        language=index.language[row],
        transcript=index.transcript[row],
        duration=float(index.num_samples[row] / SAMPLE_RATE),
    )
