"""Index the shards of a folder, ours or foreign: `index.parquet`, then `dataset.json`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from duovox.data.dataset.parallel import mapping
from duovox.data.dataset.summary import DATASET_FILE, DatasetSummary
from duovox.data.dataset.table import write_index
from duovox.data.fault import HARMLESS, Fault, check_share, count_causes
from duovox.data.listing import listing
from duovox.data.shard.row import Row
from duovox.data.shard.scan import Scan, scan_shard


def index_shards(
    folder: Path,
    *,
    name: str | None = None,
    command: str = "",
    digest: str = "",
    left_out: Sequence[Fault] = (),
    max_bad_share: float = 0.01,
    num_workers: int = 0,
    known: Mapping[str, Scan] = MappingProxyType({}),
    on_shard: Callable[[Scan], object] = lambda scan: None,
) -> tuple[DatasetSummary, list[Fault]]:
    """Index all shards of a folder; return its summary and what had to be left out.

    Args:
        folder: Holds `*.tar`, made by `write.write_dataset` or by anyone's webdataset writer.
        name: Of the data set; the folder's name by default.
        command: Recorded in the summary, as is `digest`.
        left_out: Faults that are known already, to be counted in the summary.
        max_bad_share: With more bad utterances than this, nothing is written. A damaged shard lost
            an unknown number of them: it is accepted only at 1.
        num_workers: Processes that read shards; 0: this one.
        known: Shards that need no reading, by name: who wrote them tells what is in them.
        on_shard: Called after each shard, for progress bars.

    Raises:
        ValueError: no shards, a damaged shard, or too many bad utterances.
    """
    paths = _shards(folder)
    with mapping(num_workers) as in_order:
        read = iter(in_order(scan_shard, [path for path in paths if path.name not in known]))
        scans = [_report(known.get(path.name) or next(read), on_shard) for path in paths]
    rows, faults = _unique(scans)
    bad = [fault for fault in faults if fault.cause not in HARMLESS]
    if max_bad_share < 1:
        _check_damage(folder, bad)
    check_share(bad, len(rows) + len(bad), max_bad_share, "index with --max-bad-share 1")
    if not rows:
        reason = str(faults[0]) if faults else "its shards are empty"
        raise ValueError(f"no utterance in {folder} can be used: {reason}")
    (folder / DATASET_FILE).unlink(missing_ok=True)  # an old summary must not vouch for a new index
    write_index(folder, rows)
    summary = replace(
        _summarise(name or folder.resolve().name, scans, rows),
        command=command,
        digest=digest,
        left_out=count_causes([*left_out, *bad]),
    )
    summary.save(folder)
    return summary, faults


def _shards(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"there is no folder {folder}")
    if not (paths := sorted(folder.glob("*.tar"))):
        packed = sorted(path.name for path in folder.glob("*.tar.*"))
        hint = f"; unpack {packed[0]} and the like first (gunzip)" if packed else ""
        raise ValueError(f"{folder} holds no shards (*.tar){hint}")
    return paths


def _report(scan: Scan, on_shard: Callable[[Scan], object]) -> Scan:
    on_shard(scan)
    return scan


def _unique(scans: Sequence[Scan]) -> tuple[list[Row], list[Fault]]:
    """Return the rows of all shards without repeated keys, and all faults with the repetitions."""
    kept: dict[str, Row] = {}
    faults = [fault for scan in scans for fault in scan.faults]
    for row in (row for scan in scans for row in scan.rows):
        first = kept.setdefault(row.key, row)
        if first is not row:
            detail = f"{first.shard} has the same key; the later one is left out"
            faults.append(Fault(where=row.shard, key=row.key, cause="duplicate key", detail=detail))
    return list(kept.values()), faults


def _check_damage(folder: Path, faults: Sequence[Fault]) -> None:
    damaged = [fault for fault in faults if fault.cause == "damaged shard"]
    if damaged:
        raise ValueError(
            f"{len(damaged)} shards of {folder} are damaged, and what they lost is unknown: "
            f"restore them, or keep what is whole with --max-bad-share 1{listing(damaged)}"
        )


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
