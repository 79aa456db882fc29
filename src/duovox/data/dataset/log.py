"""Remember which shards of an unfinished data set are whole, so that a killed run can go on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from duovox.data.fault import Fault
from duovox.data.utterance import Utterance

LOG_FILE = ".unfinished.jsonl"


@dataclass(slots=True)
class ShardLog:
    """One line per finished shard, under a line that identifies the input."""

    path: Path
    finished: dict[str, list[Fault]] = field(default_factory=dict)  # shard -> what it left out

    @classmethod
    def open(cls, folder: Path, parts: Mapping[str, Sequence[Utterance]]) -> Self:
        """Take up the log of the same input, or begin a new one."""
        log = cls(folder / LOG_FILE)
        identity = _identity(parts)
        lines = _lines(log.path)
        if lines and lines[0].get("input") == identity:
            for line in lines[1:]:
                if _size(folder / line["shard"]) == line["size"]:
                    log.finished[line["shard"]] = [Fault(**fault) for fault in line["left_out"]]
        else:
            log.path.unlink(missing_ok=True)
            log._append({"input": identity})
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

    def remove(self) -> None:
        """Forget the log: the data set is finished."""
        self.path.unlink()

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            file.flush()
            os.fsync(file.fileno())


def _identity(parts: Mapping[str, Sequence[Utterance]]) -> str:
    digest = hashlib.sha256()
    for shard, part in parts.items():
        digest.update(repr((shard, part)).encode())
    return digest.hexdigest()


def _size(path: Path) -> int | None:
    return path.stat().st_size if path.is_file() else None


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a log; a kill may have cut the last one."""
    if not path.is_file():
        return []
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n")[:-1]]
