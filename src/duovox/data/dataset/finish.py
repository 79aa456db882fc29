"""The last step of writing a data set: the report of what was left out, the index, the summary."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from duovox.data.atomic import atomic_file
from duovox.data.dataset.indexing import index_shards
from duovox.data.dataset.log import Work, alone_in, finished_shards, logged_work, remove_logs
from duovox.data.dataset.summary import DATASET_FILE, DatasetSummary
from duovox.data.fault import Fault, check_share
from duovox.data.listing import listing
from duovox.data.shard.scan import Scan

FAILURES_FILE = "failures.jsonl"


def finish_dataset(
    folder: Path,
    *,
    work: Work,
    failures: Sequence[Fault],
    total: int,
    max_bad_share: float,
    command: str = "",
    num_workers: int = 0,
    scans: Mapping[str, Scan] = MappingProxyType({}),
    on_shard: Callable[[], object] = lambda: None,
) -> tuple[DatasetSummary, list[Fault]]:
    """Declare the shards of a folder a data set; return its summary and all that was left out.

    Args:
        work: That is done now.
        failures: What the shards left out, of `total` utterances.
        num_workers: Processes that read the shards for the index; 0: this one.
        scans: What is in the shards that this run wrote itself; the others are read.
        on_shard: Called after each shard that is indexed, for progress bars.

    Raises:
        ValueError: more than `max_bad_share` was left out; the folder stays unfinished, and the
            same command takes up its shards.
    """
    write_failures(folder, failures)
    check_share(failures, total, max_bad_share, f"see {folder / FAILURES_FILE}")
    summary, faults = index_shards(
        folder,
        name=work.name,
        command=command,
        digest=work.digest,
        left_out=failures,
        num_workers=num_workers,
        known=scans,
        on_shard=lambda scan: on_shard(),
    )
    remove_logs(folder)
    return summary, [*failures, *faults]


def merge_parts(
    folder: Path,
    *,
    max_bad_share: float = 0.01,
    command: str = "",
    num_workers: int = 0,
    on_shard: Callable[[], object] = lambda: None,
) -> tuple[DatasetSummary, list[Fault]]:
    """Make one data set of the shards that the parts of a preparation wrote into one folder.

    Raises:
        ValueError: nothing to merge, logs of different work, or parts that are not finished.
    """
    work = _the_work(folder)
    finished = finished_shards(folder, work)
    shards = [f"{work.name}-{number:06d}.tar" for number in range(work.num_shards or 0)]
    if missing := [shard for shard in shards if shard not in finished]:
        raise ValueError(
            f"{len(missing)} of {len(shards)} shards of {folder} are not written yet: give the "
            "commands of the parts that were stopped again, then merge; or give the command "
            f"without --part, which writes what is missing and merges.{listing(missing)}"
        )
    with alone_in(folder):
        for leftover in folder.glob(".*.tmp"):  # of parts that were killed, and then finished
            leftover.unlink()
        return finish_dataset(
            folder,
            work=work,
            failures=[fault for shard in shards for fault in finished[shard]],
            total=work.num_utterances or 0,
            max_bad_share=max_bad_share,
            command=command,
            num_workers=num_workers,
            on_shard=on_shard,
        )


def write_failures(folder: Path, failures: Sequence[Fault]) -> None:
    """List what was left out in `failures.jsonl`; without anything there is no such file."""
    (folder / FAILURES_FILE).unlink(missing_ok=True)
    if not failures:
        return
    with atomic_file(folder / FAILURES_FILE) as file:
        for fault in failures:
            file.write((json.dumps(asdict(fault), ensure_ascii=False) + "\n").encode())


def _the_work(folder: Path) -> Work:
    """Return what all parts of a folder work on."""
    if (folder / DATASET_FILE).is_file():
        raise ValueError(f"{folder} holds a finished data set: there is nothing to merge")
    logs = dict(logged_work(folder))
    if not logs:
        raise ValueError(f"{folder} holds no parts: write them with --part 1/n, --part 2/n, ...")
    if len(set(logs.values())) > 1:
        raise ValueError(
            f"the parts in {folder} were made from different input or settings, as their logs "
            f"({', '.join(logs)}) say: empty the folder and give every part the same command, "
            "but for --part"
        )
    (work,) = set(logs.values())
    if work.num_shards is None:
        raise ValueError(f"{folder} is written by one command: give it again, it has no parts")
    return work
