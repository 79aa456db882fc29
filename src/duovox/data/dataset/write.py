"""Write utterances into a folder of webdataset shards.

A bad input never stops the writing: it is left out, counted, and listed in `failures.jsonl`. A
shard gets its name once it is whole and on the disk; `dataset.json` comes last. The same input
gives the same bytes, whether one command writes all shards or several write a part each.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from duovox.data.atomic import temporary_for
from duovox.data.dataset.finish import finish_dataset
from duovox.data.dataset.log import ShardLog, Work, alone_in, drop_other_work, remove_logs, tidy
from duovox.data.dataset.order import Order, arrange
from duovox.data.dataset.parallel import mapping, one_ahead
from duovox.data.dataset.part import Part
from duovox.data.dataset.space import check_space, expected_bytes, written_bytes
from duovox.data.dataset.summary import DATASET_FILE, DatasetSummary
from duovox.data.fault import Fault
from duovox.data.shard.clip import AudioFormat, load_as
from duovox.data.shard.scan import Scan
from duovox.data.shard.write import LoadedUtterance, write_shard
from duovox.data.utterance import Utterance

Load = Callable[[Utterance], LoadedUtterance | Fault]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardOptions:
    """How a data set is cut into shards, and how much may be wrong with its input."""

    order: Order = "mixed"  # "given", "length" (ascending) or "mixed" (shuffled, speakers mixed)
    utterances_per_shard: int = 1000
    seed: int = 0  # of the order "mixed"
    max_bad_share: float = 0.01  # more bad inputs than this leave the data set unfinished
    overwrite: bool = False  # replace a finished data set
    audio_format: AudioFormat = "flac"  # that shards store
    num_workers: int = 0  # processes that decode; 0: this one
    part: Part | None = None  # None: write all shards, then index and summary
    check_space: bool = True  # refuse to begin when the disk is too small
    command: str = ""  # recorded in dataset.json

    def __post_init__(self) -> None:
        if self.utterances_per_shard < 1:
            raise ValueError(
                f"utterances_per_shard must be at least 1, got {self.utterances_per_shard}"
            )
        if not 0 <= self.max_bad_share <= 1:
            raise ValueError(f"max_bad_share must lie in [0, 1], got {self.max_bad_share}")
        if self.part and self.overwrite:
            raise ValueError(
                "--overwrite and --part exclude each other, as parts that run side by side would "
                "delete each other's shards: remove the old data set first"
            )


def write_dataset(
    utterances: Sequence[Utterance],
    folder: Path,
    *,
    name: str,
    options: ShardOptions | None = None,
    load: Load | None = None,
    on_utterance: Callable[[], object] = lambda: None,
) -> tuple[DatasetSummary, list[Fault]]:
    """Write shards `<name>-000000.tar`, ..., index and summary; return it and what was left out.

    A run that was killed goes on behind its last whole shard when it is given the same input again.

    Args:
        load: Reads the audio of an utterance as `options.audio_format`; a fault leaves it out. By
            default, its file is read.
        on_utterance: Called after each utterance, for progress bars.

    Raises:
        ValueError: duplicate keys, a finished data set in the way, a disk that is full or too
            small, or more than `options.max_bad_share` bad inputs; then the shards stay, but
            without `dataset.json`.
    """
    options = options or ShardOptions()
    if options.part:
        raise ValueError("a part alone makes no data set: write it with write_part")
    _check_input(utterances, name)
    with alone_in(folder):
        log, scans = _write_shards(utterances, folder, name, options, load, on_utterance)
        return finish_dataset(
            folder,
            work=log.work,
            failures=log.faults(),
            total=len(utterances),
            max_bad_share=options.max_bad_share,
            command=options.command,
            num_workers=options.num_workers,
            scans=scans,
        )


def write_part(
    utterances: Sequence[Utterance],
    folder: Path,
    *,
    name: str,
    options: ShardOptions,
    load: Load | None = None,
    on_utterance: Callable[[], object] = lambda: None,
) -> list[Fault]:
    """Write the shards of `options.part`, which `finish.merge_parts` makes a data set in the end.

    All parts get the same utterances and the same folder, and may run at the same time.

    Returns:
        What has been left out so far, by this part or by others that are already done.

    Raises:
        ValueError: as `write_dataset`; bad inputs are only counted when the parts are merged.
    """
    _check_input(utterances, name)
    with alone_in(folder, part=options.part):
        log, _ = _write_shards(utterances, folder, name, options, load, on_utterance)
        return log.faults()


def cut_into_shards(
    utterances: Sequence[Utterance], *, name: str, options: ShardOptions
) -> dict[str, list[Utterance]]:
    """Return which utterances go into which shard."""
    ordered = arrange(utterances, options.order, seed=options.seed)
    step = options.utterances_per_shard
    return {
        f"{name}-{start // step:06d}.tar": ordered[start : start + step]
        for start in range(0, len(ordered), step)
    }


def written_before(
    utterances: Sequence[Utterance], folder: Path, *, name: str, options: ShardOptions
) -> DatasetSummary | None:
    """Return the summary of a data set of just this input and these settings, else None."""
    if options.overwrite or not (folder / DATASET_FILE).is_file():
        return None
    shards = cut_into_shards(utterances, name=name, options=options)
    summary = finished(folder, Work.of(name, shards, audio_format=options.audio_format))
    if summary:
        tidy(folder)
    return summary


def finished(folder: Path, work: Work) -> DatasetSummary | None:
    """Return the summary of a data set if that work has been done, else None."""
    if not (folder / DATASET_FILE).is_file():
        return None
    summary = DatasetSummary.load(folder)
    return summary if (summary.name, summary.digest) == (work.name, work.digest) else None


def clear_folder(
    folder: Path, names: Collection[str], *, mine: Collection[str], overwrite: bool
) -> None:
    """Make the folder ready: replace nothing unasked, drop what a killed run left over.

    Args:
        names: Of all shards that may lie there.
        mine: Of those that this run writes; another part may be writing the others right now.
        overwrite: Remove a finished data set.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / DATASET_FILE).is_file():
        _remove_dataset(folder, overwrite=overwrite)
    for leftover in folder.glob(".*.tmp"):
        if temporary_for(leftover) not in set(names) - set(mine):
            leftover.unlink()
    if others := sorted({path.name for path in folder.glob("*.tar")} - set(names)):
        raise ValueError(
            f"{folder} holds other shards ({', '.join(others[:3])}): choose an empty folder"
        )


def check_name(name: str) -> None:
    """Raise a ValueError unless `name` can begin the names of files."""
    if not name or name.startswith(".") or name != Path(name).name:
        raise ValueError(f"the name of a data set must be a plain file name, got {name!r}")


def _write_shards(
    utterances: Sequence[Utterance],
    folder: Path,
    name: str,
    options: ShardOptions,
    load: Load | None,
    on_utterance: Callable[[], object],
) -> tuple[ShardLog, dict[str, Scan]]:
    """Write the shards that are this run's and not there yet; return also what is in these."""
    shards = cut_into_shards(utterances, name=name, options=options)
    mine = [shard for position, shard in enumerate(shards) if _is_mine(position, options.part)]
    work = Work.of(name, shards, audio_format=options.audio_format)
    if options.check_space:  # of all parts, and before anything is deleted
        expected = expected_bytes(utterances, audio_format=options.audio_format)
        check_space(folder, expected - written_bytes(folder))
    if options.part is None:  # a part that runs beside this one by mistake must not lose its shards
        drop_other_work(folder, work)
    clear_folder(folder, shards.keys(), mine=mine, overwrite=options.overwrite)
    log = ShardLog.open(folder, work, part=options.part)
    todo = [shard for shard in mine if not log.has(shard)]
    for _ in range(sum(len(shards[shard]) for shard in mine if log.has(shard))):
        on_utterance()
    load = load or partial(load_as, audio_format=options.audio_format)
    scans = {}
    with mapping(options.num_workers, chunk=16) as in_order:
        # Workers begin with the next shard before this one is on the disk.
        begun = ((shard, in_order(load, shards[shard])) for shard in todo)
        for shard, loaded in one_ahead(begun):
            scans[shard], left_out = write_shard(folder / shard, loaded, on_utterance)
            log.add(shard, left_out)
    return log, scans


def _is_mine(position: int, part: Part | None) -> bool:
    return part is None or part.owns(position)


def _check_input(utterances: Sequence[Utterance], name: str) -> None:
    check_name(name)
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


def _remove_dataset(folder: Path, *, overwrite: bool) -> None:
    summary = DatasetSummary.load(folder)
    if not overwrite:
        raise ValueError(
            f"{folder} holds a finished data set, made by `{summary.command or 'another program'}`:"
            " choose another folder, or pass --overwrite"
        )
    (folder / DATASET_FILE).unlink()  # from here on the folder counts as unfinished
    for shard in summary.shards:
        (folder / shard.name).unlink(missing_ok=True)
    remove_logs(folder)
