"""Read a data set again from its first byte to its last, and list everything that is wrong."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from duovox.audio.decode import SAMPLE_RATE, read_wave
from duovox.audio.error import AudioError
from duovox.data.dataset.parallel import mapping
from duovox.data.dataset.summary import DatasetSummary
from duovox.data.dataset.table import read_index, rows_of
from duovox.data.fault import Fault
from duovox.data.shard.row import Row
from duovox.data.shard.scan import Scan, scan_shard
from duovox.data.shard.summary import ShardSummary
from duovox.data.shard.tar import read_member


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardCheck:
    """What was found in one shard."""

    shard: str
    keys: tuple[str, ...]  # of the whole utterances
    faults: tuple[Fault, ...]


def verify_dataset(
    folder: Path,
    *,
    num_workers: int = 0,
    on_shard: Callable[[ShardCheck], object] = lambda check: None,
) -> tuple[DatasetSummary, list[Fault]]:
    """Compare shards, checksums, index and summary with each other, and decode all audio.

    Args:
        num_workers: Processes that read shards; 0: this one.
        on_shard: Called after each shard, for progress bars.

    Raises:
        ValueError: the folder is no finished data set, or its index cannot be read.
    """
    summary = DatasetSummary.load(folder)
    table = read_index(folder)
    tasks = ((shard, rows_of(table, shard.name)) for shard in summary.shards)
    faults = list(_unlisted(folder, summary))
    first: dict[str, str] = {}
    with mapping(num_workers) as in_order:
        for check in in_order(partial(_check_shard, folder), tasks):
            on_shard(check)
            faults += [*check.faults, *_repeated(check, first)]
    if (found := table.num_rows) != summary.num_utterances:
        detail = f"the index has {found} utterances, the summary {summary.num_utterances}"
        faults.append(Fault(where="dataset.json", key="", cause="wrong count", detail=detail))
    return summary, faults


def _check_shard(folder: Path, task: tuple[ShardSummary, Sequence[Row]]) -> ShardCheck:
    expected, rows = task
    path = folder / expected.name
    if not path.is_file():
        detail = f"there is no such file; it held {expected.num_utterances} utterances"
        fault = Fault(where=expected.name, key="", cause="missing shard", detail=detail)
        return ShardCheck(shard=expected.name, keys=(), faults=(fault,))
    scan = scan_shard(path)
    faults = [*_compare_files(scan.summary, expected), *scan.faults]
    faults += [*_compare_rows(scan, rows), *_decode_all(path, scan.rows)]
    keys = tuple(row.key for row in scan.rows)
    return ShardCheck(shard=expected.name, keys=keys, faults=tuple(faults))


def _compare_files(found: ShardSummary, expected: ShardSummary) -> Iterator[Fault]:
    if found.size != expected.size:
        detail = f"{found.size} bytes instead of {expected.size}"
        yield Fault(where=found.name, key="", cause="wrong size", detail=detail)
    elif found.sha256 != expected.sha256:
        detail = f"sha256 {found.sha256[:12]}... instead of {expected.sha256[:12]}..."
        yield Fault(where=found.name, key="", cause="wrong checksum", detail=detail)


def _compare_rows(scan: Scan, rows: Sequence[Row]) -> Iterator[Fault]:
    """Say where the shard and its rows of the index disagree."""
    shard = scan.summary.name
    found = {row.key: row for row in scan.rows}
    for row in rows:
        other = found.pop(row.key, None)
        if other is None:
            detail = "the index names it, but it cannot be read from the shard"
            yield Fault(where=shard, key=row.key, cause="lost utterance", detail=detail)
        elif other != row:
            names = [name for name in Row.__slots__ if getattr(row, name) != getattr(other, name)]
            detail = f"index and shard disagree about {', '.join(names)}"
            yield Fault(where=shard, key=row.key, cause="wrong index", detail=detail)
    for key in found:
        yield Fault(where=shard, key=key, cause="not indexed", detail="the index does not name it")


def _decode_all(path: Path, rows: Sequence[Row]) -> Iterator[Fault]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        for row in rows:
            name = f"{row.key}.{row.audio_format}"
            content = read_member(descriptor, name, offset=row.offset, size=row.size)
            for cause, detail in _audio_faults(content, row):
                yield Fault(where=path.name, key=row.key, cause=cause, detail=detail)
    finally:
        os.close(descriptor)


def _audio_faults(content: bytes, row: Row) -> Iterator[tuple[str, str]]:
    try:
        wave, sample_rate = read_wave(content)
    except AudioError as error:
        yield error.cause, str(error)
        return
    if len(wave) != row.num_samples:
        yield "wrong length", f"{len(wave)} samples instead of {row.num_samples}"
    if sample_rate != SAMPLE_RATE:
        yield "wrong sample rate", f"{sample_rate} Hz instead of {SAMPLE_RATE} Hz; prepare it anew"
    if wave.ndim > 1:
        yield "several channels", f"{wave.shape[1]} channels instead of one; prepare it anew"


def _repeated(check: ShardCheck, first: dict[str, str]) -> Iterator[Fault]:
    """Say which keys earlier shards have too; `first` remembers where each key was seen."""
    for key in check.keys:
        shard = first.setdefault(key, check.shard)
        if shard != check.shard:
            detail = f"{shard} has the same key"
            yield Fault(where=check.shard, key=key, cause="duplicate key", detail=detail)


def _unlisted(folder: Path, summary: DatasetSummary) -> Iterator[Fault]:
    listed = {shard.name for shard in summary.shards}
    for path in sorted(folder.glob("*.tar")):
        if path.name not in listed:
            detail = "dataset.json does not name it"
            yield Fault(where=path.name, key="", cause="unlisted shard", detail=detail)
