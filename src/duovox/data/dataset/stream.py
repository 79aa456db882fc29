"""Write shards from a stream that passes once, such as an archive, in the stream's own order.

One stream may feed several data sets. A stream that is read again, after a kill, writes only the
shards that are not finished yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from duovox.data.archive.error import ArchiveError
from duovox.data.archive.inflate import CutShortError
from duovox.data.dataset.log import Work, alone_in, finished_shards
from duovox.data.dataset.sink import Sink
from duovox.data.dataset.space import written_bytes
from duovox.data.dataset.summary import DatasetSummary
from duovox.data.dataset.threads import map_ahead
from duovox.data.dataset.write import ShardOptions, check_name, finished
from duovox.data.fault import Fault
from duovox.data.shard.clip import Clip
from duovox.data.shard.write import LoadedUtterance

Written = dict[str, tuple[DatasetSummary, list[Fault]]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a stream delivers: a clip or a fault, and the name of the data set it belongs to."""

    dataset: str
    item: Clip | Fault


def write_stream(
    deliveries: Iterable[Delivery],
    folder: Path,
    *,
    digest: str,
    load: Callable[[Clip], LoadedUtterance | Fault],
    options: ShardOptions | None = None,
    on_utterance: Callable[[], object] = lambda: None,
) -> Written:
    """Write the data sets of a stream to `folder/<data set>`; return their summaries and faults.

    A cut-off stream leaves the finished shards, and the same command goes on behind them. A damaged
    one takes them along, as nothing has vouched for their bytes.

    Args:
        deliveries: The same ones in the same order whenever the stream is read.
        digest: Changes with the content of the stream, as far as can be told beforehand, and with
            all settings that shape the shards.
        load: Makes the bytes that a shard stores, or says why it cannot; called by threads.
        options: `order`, `seed` and `part` are not for streams.
        on_utterance: Called after each utterance, for progress bars.

    Raises:
        ValueError: a finished data set of other work in the way, a full disk, too many bad
            utterances, nothing delivered, or what the stream itself raises.
    """
    options = options or ShardOptions()
    with ExitStack() as locks:
        with ExitStack() as stack:
            sinks = _Sinks(folder, digest, options, locks, stack)
            tasks = _tasks(deliveries, sinks, on_utterance)
            done = map_ahead(lambda x: load(x.clip), tasks, num_threads=options.num_workers)
            try:
                for task, loaded in done:
                    task.sink.write(task.shard, loaded)
                    on_utterance()
            except CutShortError:
                raise
            except ArchiveError:
                sinks.discard()
                raise
        return sinks.finish()


def kept_bytes(folder: Path, digest: str) -> int:
    """Return the size of the shards below `folder` that `write_stream` need not write again."""
    num_bytes = 0
    for path in folder.iterdir():
        work = Work(name=path.name, digest=digest)
        with suppress(ValueError):  # a damaged neighbour is nothing to this work
            if finished(path, work):
                num_bytes += written_bytes(path)
            num_bytes += sum((path / shard).stat().st_size for shard in finished_shards(path, work))
    return num_bytes


class _Sinks:
    """The data sets that a stream has fed so far."""

    def __init__(
        self, folder: Path, digest: str, options: ShardOptions, locks: ExitStack, stack: ExitStack
    ) -> None:
        self._folder = folder
        self._digest = digest
        self._options = options
        self._locks = locks
        self._stack = stack
        self._sinks: dict[str, Sink] = {}

    def __getitem__(self, name: str) -> Sink:
        if name not in self._sinks:
            check_name(name)
            self._locks.enter_context(alone_in(self._folder / name))
            sink = Sink(self._folder / name, digest=self._digest, options=self._options)
            self._sinks[name] = self._stack.enter_context(sink)
        return self._sinks[name]

    def discard(self) -> None:
        for sink in self._sinks.values():
            sink.discard()

    def finish(self) -> Written:
        if not self._sinks:
            raise ValueError(f"there are no utterances to write to {self._folder}")
        return {name: sink.finish() for name, sink in self._sinks.items()}


@dataclass(frozen=True, slots=True)
class _Task:
    sink: Sink
    shard: str
    clip: Clip


def _tasks(
    deliveries: Iterable[Delivery], sinks: _Sinks, on_utterance: Callable[[], object]
) -> Iterator[_Task]:
    """Yield what still has to be written; keys that come again are refused."""
    seen: set[tuple[str, str]] = set()
    for delivery in deliveries:
        sink, item = sinks[delivery.dataset], delivery.item
        if isinstance(item, Fault):
            sink.refuse(item)
            continue
        key = item.utterance.key
        if (delivery.dataset, key) in seen:
            detail = "an earlier utterance has the same key; the later one is left out"
            where = item.utterance.place
            sink.refuse(Fault(where=where, key=key, cause="duplicate key", detail=detail))
            continue
        seen.add((delivery.dataset, key))
        if (shard := sink.place()) is None:
            on_utterance()
        else:
            yield _Task(sink, shard, item)
