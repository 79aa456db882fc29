"""Read the audio of index rows straight from their shards, by byte offset."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path

from duovox.data.dataset.index import Index
from duovox.data.shard.tar import read_member


class ShardReader:
    """Read rows of an index; a few shards stay open between the calls.

    A shard that changed since it was indexed is noticed: the tar header in front of the audio must
    still name the utterance and its size.
    """

    def __init__(self, index: Index, *, max_open: int = 64) -> None:
        self._index = index
        self._max_open = max_open
        self._open: OrderedDict[Path, int] = OrderedDict()  # least recently used first

    def read(self, row: int) -> bytes:
        """Return the undecoded audio of a row.

        Raises:
            ValueError: the shard is missing or damaged there; the message names shard and key.
        """
        index = self._index
        shard = index.shards[index.shard[row]]
        try:
            return read_member(
                self._descriptor(shard),
                index.member_name(row),
                offset=int(index.offset[row]),
                size=int(index.size[row]),
            )
        except (OSError, ValueError) as error:
            raise ValueError(f"{shard}: {index.key[row]}: damaged shard: {error}") from None

    def close(self) -> None:
        """Close the shards; the next read opens them again."""
        while self._open:
            os.close(self._open.popitem()[1])

    def __del__(self) -> None:
        self.close()

    def __getstate__(self) -> dict[str, object]:
        """Leave open files behind when the reader travels to another process."""
        return {"_index": self._index, "_max_open": self._max_open, "_open": OrderedDict()}

    def _descriptor(self, shard: Path) -> int:
        if shard not in self._open:
            if len(self._open) >= self._max_open:
                os.close(self._open.popitem(last=False)[1])
            self._open[shard] = os.open(shard, os.O_RDONLY)
        self._open.move_to_end(shard)
        return self._open[shard]
