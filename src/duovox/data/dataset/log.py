"""Remember which shards of an unfinished data set are whole, so that a killed run can go on.

Each run keeps a log of its own and reads those of its fellows: a run that writes one part of the
work beside the others, and a run that takes over what the parts have done.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from duovox.data.dataset.part import Part
from duovox.data.fault import Fault
from duovox.data.lock import locked
from duovox.data.utterance import Utterance

LOG_FILE = ".unfinished.jsonl"
_ALL_LOGS = ".unfinished*.jsonl"
_LOCK, _ALL_LOCKS = ".writing{}.lock", ".writing*.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be written; logs of other work in the same folder are not believed."""

    name: str  # of the data set
    digest: str  # of all that goes into the shards
    num_shards: int | None = None  # None: not known before the end
    num_utterances: int | None = None

    @classmethod
    def of(cls, name: str, shards: Mapping[str, Sequence[Utterance]], *, audio_format: str) -> Self:
        """Describe the work of writing these shards, with audio of this format."""
        digest = hashlib.sha256(audio_format.encode())
        for shard, utterances in shards.items():
            digest.update(repr((shard, utterances)).encode())
        return cls(
            name=name,
            digest=digest.hexdigest(),
            num_shards=len(shards),
            num_utterances=sum(map(len, shards.values())),
        )


@contextmanager
def alone_in(folder: Path, *, part: Part | None = None) -> Iterator[None]:
    """Keep other processes from writing the same part, or anything when all is written here.

    Raises:
        ValueError: another process does it already.
    """
    name = _LOCK.format("")
    with ExitStack() as stack:
        whole = locked(folder / name, what=str(folder), is_shared=part is not None)
        stack.enter_context(whole)
        if part:
            name = _LOCK.format(f"-{part.number}-of-{part.count}")
            stack.enter_context(locked(folder / name, what=f"part {part} of {folder}"))
        try:
            yield
        finally:  # while nobody else can hold them
            for path in folder.glob(name if part else _ALL_LOCKS):
                path.unlink()


@dataclass(slots=True)
class ShardLog:
    """One line per finished shard, under a line that names the work."""

    path: Path
    work: Work
    finished: dict[str, list[Fault]] = field(default_factory=dict)  # shard -> what it left out

    @classmethod
    def open(cls, folder: Path, work: Work, *, part: Part | None = None) -> Self:
        """Take up the log of the same work, or begin a new one; all logs of it are believed."""
        log = cls(folder / _file_name(part), work, finished_shards(folder, work))
        if _read(log.path)[0] == work:
            _drop_cut_line(log.path)
        else:
            log.path.unlink(missing_ok=True)
            log._append({"work": asdict(work)})
        return log

    def has(self, shard: str) -> bool:
        """Tell whether the shard needs no writing."""
        return shard in self.finished

    def add(self, shard: str, left_out: list[Fault]) -> None:
        """Note a shard that is whole and on the disk."""
        self.finished[shard] = left_out
        size = _size(self.path.with_name(shard))
        self._append(
            {"shard": shard, "size": size, "left_out": [asdict(fault) for fault in left_out]}
        )

    def faults(self) -> list[Fault]:
        """Return everything that was left out, in the order of the shards."""
        return [fault for shard in sorted(self.finished) for fault in self.finished[shard]]

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def finished_shards(folder: Path, work: Work) -> dict[str, list[Fault]]:
    """Return the shards that any log of this work has as finished, with what they left out."""
    finished: dict[str, list[Fault]] = {}
    for path in sorted(folder.glob(_ALL_LOGS)):
        logged, lines = _read(path)
        for line in lines if logged == work else ():
            if _size(folder / line["shard"]) == line["size"]:
                finished[line["shard"]] = [Fault(**fault) for fault in line["left_out"]]
    return finished


def logged_work(folder: Path) -> Iterator[tuple[str, Work]]:
    """Yield the name of each log in a folder, and its work."""
    for path in sorted(folder.glob(_ALL_LOGS)):
        work, _ = _read(path)
        if work is not None:
            yield path.name, work


def drop_other_work(folder: Path, work: Work) -> None:
    """Delete what was begun with other input or settings, its shards and its logs."""
    for path in folder.glob(_ALL_LOGS):
        logged, lines = _read(path)
        if logged != work:
            for line in lines:
                (folder / line["shard"]).unlink(missing_ok=True)
            path.unlink()


def remove_logs(folder: Path) -> None:
    """Forget all logs of a folder: its data set is finished, or begun anew."""
    for path in folder.glob(_ALL_LOGS):
        path.unlink(missing_ok=True)


def tidy(folder: Path) -> None:
    """Remove what a run left beside a finished data set when it was killed in its last moment.

    Not for one who holds the folder: `alone_in` gives it back.
    """
    if not any(any(folder.glob(pattern)) for pattern in (_ALL_LOGS, _ALL_LOCKS)):
        return
    # ValueError: a run is in its last moment now; OSError: the folder is for reading only.
    with suppress(ValueError, OSError), alone_in(folder):
        remove_logs(folder)


def _file_name(part: Part | None) -> str:
    return f".unfinished-{part.number}-of-{part.count}.jsonl" if part else LOG_FILE


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _read(path: Path) -> tuple[Work | None, list[dict[str, Any]]]:
    """Return the work of a log and its lines; a kill may have cut the last one."""
    if not path.is_file():
        return None, []
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
    return (Work(**lines[0]["work"]), lines[1:]) if lines else (None, [])


def _drop_cut_line(path: Path) -> None:
    """Cut a last line without its end off, before another is written behind it."""
    content = path.read_bytes()
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
