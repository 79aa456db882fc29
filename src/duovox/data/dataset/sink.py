"""One data set in the making, fed utterance by utterance."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from duovox.data.dataset.finish import finish_dataset
from duovox.data.dataset.log import ShardLog, Work, drop_other_work, finished_shards, remove_logs
from duovox.data.dataset.summary import DatasetSummary
from duovox.data.dataset.write import ShardOptions, clear_folder, finished
from duovox.data.fault import Fault
from duovox.data.shard.scan import Scan
from duovox.data.shard.write import LoadedUtterance, OpenShard, open_shard


class Sink:
    """Write what comes into shards of equal numbers; on leaving the context the last one ends.

    A full shard goes to the disk in the background, while the next one is being filled.

    Args:
        digest: Of input and settings; finished shards of the same digest stay.

    Raises:
        ValueError: the folder holds other shards, or a finished data set of other work.
    """

    def __init__(self, folder: Path, *, digest: str, options: ShardOptions) -> None:
        self.folder = folder
        self._options = options
        self._num_placed = 0
        self._refused: list[Fault] = []  # without a place in a shard
        self._shard = ""  # that is open
        self._left_out: list[Fault] = []  # of the open shard
        self._context: AbstractContextManager[OpenShard] | None = None
        self._open: OpenShard
        self._work = Work(name=folder.name, digest=digest)
        self._scans: dict[str, Scan] = {}  # of the shards that this run wrote
        self._pool = ThreadPoolExecutor(1)
        self._ending: Future[None] | None = None  # of the shard before the open one
        self.is_finished = not options.overwrite and finished(folder, self._work) is not None
        if self.is_finished:
            remove_logs(folder)  # of a run that was killed in its last moment
        else:
            self._log = self._open_log()

    def __enter__(self) -> Self:
        return self

    def place(self) -> str | None:
        """Return the shard in which the next utterance goes, or None when that is done already."""
        number, self._num_placed = self._num_placed, self._num_placed + 1
        shard = self._shard_name(number // self._options.utterances_per_shard)
        return None if self.is_finished or self._log.has(shard) else shard

    def write(self, shard: str, item: LoadedUtterance | Fault) -> None:
        """Add the next utterance to its shard, or note why it is left out."""
        if shard != self._shard:
            self._close_shard()
            self._context = open_shard(self.folder / shard)
            self._open, self._shard = self._context.__enter__(), shard
        if isinstance(item, Fault):
            self._left_out.append(item)
        else:
            self._open.add(item)

    def refuse(self, fault: Fault) -> None:
        """Note something that is left out before it has a place in a shard."""
        self._refused.append(fault)

    def discard(self) -> None:
        """Delete the shards: their source turned out to be damaged."""
        self._pool.shutdown()  # a shard that ends later would be noted again
        if not self.is_finished:
            for shard in self._log.finished:
                (self.folder / shard).unlink(missing_ok=True)
            remove_logs(self.folder)

    def finish(self) -> tuple[DatasetSummary, list[Fault]]:
        """Declare the data set finished; ValueError when too much was left out."""
        if self.is_finished:
            return DatasetSummary.load(self.folder), []
        return finish_dataset(
            self.folder,
            work=self._work,
            failures=[*self._refused, *self._log.faults()],
            total=self._num_placed + len(self._refused),
            max_bad_share=self._options.max_bad_share,
            command=self._options.command,
            num_workers=self._options.num_workers,
            scans=self._scans,
        )

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._pool:  # waits for the shard before the open one
            if kind is None:
                self._close_shard()
            elif self._context is not None:  # the open shard goes, the finished ones stay
                self._context.__exit__(kind, error, traceback)
        if kind is None:
            self._wait()

    def _close_shard(self) -> None:
        if self._context is None:
            return
        self._wait()
        self._ending = self._pool.submit(
            self._end_shard, self._context, self._open, self._shard, self._left_out
        )
        self._context, self._left_out = None, []

    def _end_shard(
        self,
        context: AbstractContextManager[OpenShard],
        opened: OpenShard,
        shard: str,
        left_out: list[Fault],
    ) -> None:
        context.__exit__(None, None, None)
        self._scans[shard] = opened.scan()
        self._log.add(shard, left_out)

    def _wait(self) -> None:
        """Wait until the shard before the open one is on the disk."""
        if self._ending is not None:
            self._ending.result()

    def _shard_name(self, number: int) -> str:
        return f"{self.folder.name}-{number:06d}.tar"

    def _open_log(self) -> ShardLog:
        # Shards are finished in their order: only the one behind the last may be there unlogged.
        drop_other_work(self.folder, self._work)
        num_kept = len(finished_shards(self.folder, self._work))
        names = [self._shard_name(number) for number in range(num_kept + 1)]
        clear_folder(self.folder, names, mine=names, overwrite=self._options.overwrite)
        return ShardLog.open(self.folder, self._work)
