"""Scan one shard: the rows of its whole utterances, and what is wrong with the rest."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from duovox.audio import decode
from duovox.audio.error import AudioError
from duovox.data.fault import Fault
from duovox.data.shard.record import Record, read_record
from duovox.data.shard.row import Row
from duovox.data.shard.sample import Sample, group
from duovox.data.shard.summary import ShardSummary, checksum
from duovox.data.shard.tar import Member, read_member, walk


@dataclass(frozen=True, slots=True)
class Scan:
    """What one shard holds."""

    summary: ShardSummary
    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


def scan_shard(path: Path) -> Scan:
    """Read the tar headers, the descriptions and the audio headers of a shard, and its checksum."""
    walked = walk(path)
    samples, faults = group(walked.members, path.name)
    if walked.damage:
        faults.append(Fault(where=path.name, key="", cause="damaged shard", detail=walked.damage))
    rows: list[Row] = []
    descriptor = os.open(path, os.O_RDONLY)
    try:
        for sample in samples:
            scanned = _scan_sample(descriptor, path.name, sample)
            rows.append(scanned) if isinstance(scanned, Row) else faults.append(scanned)
    finally:
        os.close(descriptor)
    summary = ShardSummary(
        name=path.name,
        size=path.stat().st_size,
        sha256=checksum(path),
        num_utterances=len(rows),
    )
    return Scan(summary, tuple(rows), tuple(faults))


def _scan_sample(descriptor: int, shard: str, sample: Sample) -> Row | Fault:
    """Return the row of a sample, or the reason why it has none."""
    try:
        json, text = _content(descriptor, sample.json), _content(descriptor, sample.text)
        record = read_record(sample.key, json, text)
    except ValueError as error:
        return Fault(where=shard, key=sample.key, cause="bad description", detail=str(error))
    try:
        header = decode.probe(_content(descriptor, sample.audio) or b"")
        _check_length(record, header)
    except AudioError as error:
        return Fault(where=shard, key=sample.key, cause=error.cause, detail=str(error))
    return Row(
        key=sample.key,
        shard=shard,
        offset=sample.audio.offset,
        size=sample.audio.size,
        num_samples=header.num_samples,
        sample_rate=header.sample_rate,
        audio_format=sample.audio_format,
        **record.described(),
    )


def _content(descriptor: int, member: Member | None) -> bytes | None:
    if member is None:
        return None
    return read_member(descriptor, member.name, offset=member.offset, size=member.size)


def _check_length(record: Record, header: decode.AudioInfo) -> None:
    if record.num_samples not in (None, header.num_samples):
        raise AudioError(
            "wrong length",
            f"its json promises {record.num_samples} samples, its audio has {header.num_samples}",
        )
