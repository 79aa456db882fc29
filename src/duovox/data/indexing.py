"""Scan the shards of a folder, ours or foreign, and write its index and its summary."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from duovox.audio import decode
from duovox.data.atomic import atomic_file
from duovox.data.dataset import INDEX_FILE, DatasetSummary, ShardSummary
from duovox.data.fault import Fault, count_causes
from duovox.data.record import read_record
from duovox.data.sample import Sample, group
from duovox.data.tar import Member, read_member, walk


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One utterance of a shard, as a row of the index."""

    key: str
    shard: str
    offset: int
    size: int
    num_samples: int
    sample_rate: int
    speaker_id: str
    session_id: str
    gender: str
    language: str
    transcript: str
    source: str
    audio_format: str


@dataclass(frozen=True, slots=True)
class Scan:
    """What one shard holds."""

    summary: ShardSummary
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


def index_shards(
    folder: Path,
    *,
    name: str | None = None,
    command: str = "",
    left_out: Iterable[Fault] = (),
    on_shard: Callable[[Scan], None] = lambda scan: None,
) -> tuple[DatasetSummary, list[Fault]]:
    """Index all shards of a folder; return its summary and what had to be left out.

    Args:
        folder: Holds `*.tar`, as `shard.write_dataset` or anyone's webdataset writer made them.
        name: Of the data set; the folder's name by default.
        command: Recorded in the summary.
        left_out: Faults that are known already, to be counted in the summary.
        on_shard: Called after each shard, for progress bars.

    Raises:
        ValueError: the folder holds no shards, or no utterance in them can be used.
    """
    paths = sorted(folder.glob("*.tar"))
    if not paths:
        raise ValueError(f"{folder} holds no shards (*.tar)")
    scans: list[Scan] = []
    for path in paths:
        scans.append(scan_shard(path))
        on_shard(scans[-1])
    rows, faults = _unique(scans)
    if not rows:
        raise ValueError(
            f"no utterance in {folder} can be used; the first fault: {next(iter(faults), 'none')}"
        )
    summary = _summarise(name or folder.name, scans, rows)
    causes = count_causes([*left_out, *faults])
    write_index(folder, rows)
    summary = DatasetSummary(
        **(asdict(summary) | {"shards": summary.shards, "command": command, "left_out": causes})
    )
    summary.save(folder)
    return summary, faults


def scan_shard(path: Path) -> Scan:
    """Read the headers, the descriptions and the audio headers of one shard."""
    if not path.is_file():
        missing = Fault(
            where=path.name, key="", cause="missing shard", detail="there is no such file"
        )
        return Scan(
            ShardSummary(name=path.name, size=0, sha256="", num_utterances=0), (), (missing,)
        )
    walked = walk(path)
    samples, faults = group(walked.members, path.name)
    if walked.damage:
        faults.append(Fault(where=path.name, key="", cause="damaged shard", detail=walked.damage))
    rows: list[Row] = []
    descriptor = os.open(path, os.O_RDONLY)
    try:
        for sample in samples:
            _scan_sample(descriptor, path.name, sample, rows, faults)
    finally:
        os.close(descriptor)
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
    summary = ShardSummary(
        name=path.name, size=path.stat().st_size, sha256=checksum, num_utterances=len(rows)
    )
    return Scan(summary, tuple(rows), tuple(faults))


def write_index(folder: Path, rows: Sequence[Row]) -> None:
    """Write `index.parquet`."""
    import pyarrow
    from pyarrow import parquet

    kinds = {"int": pyarrow.int64(), "str": pyarrow.large_string()}
    schema = pyarrow.schema([(field.name, kinds[str(field.type)]) for field in fields(Row)])
    columns = {field.name: [getattr(row, field.name) for row in rows] for field in fields(Row)}
    with atomic_file(folder / INDEX_FILE) as file:
        parquet.write_table(
            pyarrow.table(columns, schema=schema),
            file,
            compression="zstd",
            use_dictionary=["shard", "speaker_id", "gender", "language", "audio_format"],
        )


def _scan_sample(
    descriptor: int, shard: str, sample: Sample, rows: list[Row], faults: list[Fault]
) -> None:
    """Append the row of a sample, or the reason why it has none."""
    audio = sample.audio
    try:
        record = read_record(
            sample.key, _content(descriptor, sample.json), _content(descriptor, sample.text)
        )
    except ValueError as error:
        faults.append(
            Fault(where=shard, key=sample.key, cause="bad description", detail=str(error))
        )
        return
    try:
        info = decode.probe(
            read_member(descriptor, audio.name, offset=audio.offset, size=audio.size)
        )
    except ValueError as error:
        faults.append(Fault(where=shard, key=sample.key, cause="undecodable", detail=str(error)))
        return
    if record.num_samples not in (None, info.num_samples):
        detail = f"its json promises {record.num_samples} samples, the audio has {info.num_samples}"
        faults.append(Fault(where=shard, key=sample.key, cause="wrong length", detail=detail))
        return
    described = {name: getattr(record, name) for name in _DESCRIBED}
    rows.append(
        Row(
            key=sample.key,
            shard=shard,
            offset=audio.offset,
            size=audio.size,
            num_samples=info.num_samples,
            sample_rate=info.sample_rate,
            audio_format=sample.audio_format,
            **described,
        )
    )


_DESCRIBED = ("speaker_id", "session_id", "gender", "language", "transcript", "source")


def _content(descriptor: int, member: Member | None) -> bytes | None:
    if member is None:
        return None
    return read_member(descriptor, member.name, offset=member.offset, size=member.size)


def _unique(scans: Sequence[Scan]) -> tuple[list[Row], list[Fault]]:
    """Return the rows of all shards without repeated keys, and all faults."""
    kept: dict[str, Row] = {}
    faults = [fault for scan in scans for fault in scan.faults]
    for row in (row for scan in scans for row in scan.rows):
        first = kept.setdefault(row.key, row)
        if first is not row:
            detail = f"the same key is in {first.shard}; the later one is left out"
            faults.append(Fault(where=row.shard, key=row.key, cause="duplicate key", detail=detail))
    return list(kept.values()), faults


def _summarise(name: str, scans: Sequence[Scan], rows: Sequence[Row]) -> DatasetSummary:
    seconds = sum(row.num_samples / row.sample_rate for row in rows)
    return DatasetSummary(
        name=name,
        num_utterances=len(rows),
        hours=round(seconds / 3600, 6),
        num_speakers=len({row.speaker_id for row in rows if row.speaker_id}),
        vocabulary=tuple(sorted({character for row in rows for character in row.transcript})),
        shards=tuple(scan.summary for scan in scans),
    )
