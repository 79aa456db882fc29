"""Write utterances into a folder of webdataset shards.

A bad input never stops the writing: it is left out, counted, and listed in `failures.jsonl`. A
shard gets its name once it is whole and on the disk; `dataset.json` comes last. The same input
gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from duovox.data.atomic import atomic_file
from duovox.data.dataset.indexing import index_shards
from duovox.data.dataset.log import ShardLog
from duovox.data.dataset.order import Order, arrange
from duovox.data.dataset.parallel import mapping
from duovox.data.dataset.summary import DATASET_FILE, DatasetSummary
from duovox.data.fault import Fault, check_share
from duovox.data.shard.write import load_utterance, write_shard
from duovox.data.utterance import Utterance

FAILURES_FILE = "failures.jsonl"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardOptions:
    """How a data set is cut into shards, and how much may be wrong with its input."""

    order: Order = "mixed"  # "given", "length" (ascending) or "mixed" (shuffled, speakers mixed)
    utterances_per_shard: int = 1000
    seed: int = 0  # of the order "mixed"
    max_bad_share: float = 0.01  # more bad inputs than this leave the data set unfinished
    overwrite: bool = False  # replace a finished data set
    num_workers: int = 0  # processes that decode; 0: this one
    command: str = ""  # recorded in dataset.json

    def __post_init__(self) -> None:
        if self.utterances_per_shard < 1:
            raise ValueError(
                f"utterances_per_shard must be at least 1, got {self.utterances_per_shard}"
            )
        if not 0 <= self.max_bad_share <= 1:
            raise ValueError(f"max_bad_share must lie in [0, 1], got {self.max_bad_share}")


def write_dataset(
    utterances: Sequence[Utterance],
    folder: Path,
    *,
    name: str,
    options: ShardOptions | None = None,
    on_utterance: Callable[[], object] = lambda: None,
) -> tuple[DatasetSummary, list[Fault]]:
    """Write shards `<name>-000000.tar`, ..., index and summary; return it and what was left out.

    A run that was killed goes on behind its last whole shard when it is given the same input again.

    Args:
        on_utterance: Called after each utterance, for progress bars.

    Raises:
        ValueError: duplicate keys, a finished data set in the way, a full disk, or more than
            `options.max_bad_share` bad inputs; then the shards stay, but without `dataset.json`.
    """
    options = options or ShardOptions()
    _check_name(name)
    _check_unique(utterances)
    ordered = arrange(utterances, options.order, seed=options.seed)
    step = options.utterances_per_shard
    parts = {
        f"{name}-{start // step:06d}.tar": ordered[start : start + step]
        for start in range(0, len(ordered), step)
    }
    _clear(folder, parts.keys(), overwrite=options.overwrite)
    log = ShardLog.open(folder, parts)
    with mapping(options.num_workers, chunk=16) as in_order:
        for shard, part in parts.items():
            if not log.has(shard):
                loaded = in_order(load_utterance, part)
                log.add(shard, write_shard(folder / shard, loaded, on_utterance))
    failures = log.faults()
    _write_failures(folder, failures)
    check_share(failures, len(utterances), options.max_bad_share, f"see {folder / FAILURES_FILE}")
    summary, faults = index_shards(folder, name=name, command=options.command, left_out=failures)
    log.remove()
    return summary, failures + faults


def _check_name(name: str) -> None:
    if not name or name.startswith(".") or name != Path(name).name:
        raise ValueError(f"the name of a data set must be a plain file name, got {name!r}")


def _check_unique(utterances: Sequence[Utterance]) -> None:
    if not utterances:
        raise ValueError("there are no utterances to write")
    seen: dict[str, Utterance] = {}
    for utterance in utterances:
        first = seen.setdefault(utterance.key, utterance)
        if first is not utterance:
            raise ValueError(
                f"key {utterance.key!r} is used twice, by {first.path} and by {utterance.path}: "
                "give one of them another ID"
            )


def _clear(folder: Path, names: Collection[str], *, overwrite: bool) -> None:
    """Make the folder ready: replace nothing unasked, drop what a killed run left over."""
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / DATASET_FILE).is_file():
        if not overwrite:
            raise ValueError(
                f"{folder} holds a finished data set: choose another folder, or pass --overwrite"
            )
        old = [shard.name for shard in DatasetSummary.load(folder).shards]
        (folder / DATASET_FILE).unlink()  # from here on the folder counts as unfinished
        for shard in old:
            (folder / shard).unlink(missing_ok=True)
    for leftover in folder.glob(".*.tmp"):
        leftover.unlink()
    if others := sorted({path.name for path in folder.glob("*.tar")} - set(names)):
        raise ValueError(
            f"{folder} holds other shards ({', '.join(others[:3])}): choose an empty folder"
        )


def _write_failures(folder: Path, failures: Sequence[Fault]) -> None:
    (folder / FAILURES_FILE).unlink(missing_ok=True)
    if not failures:
        return
    with atomic_file(folder / FAILURES_FILE) as file:
        for fault in failures:
            file.write((json.dumps(asdict(fault), ensure_ascii=False) + "\n").encode())
