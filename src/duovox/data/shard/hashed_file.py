"""Write a file and compute its checksum, both in the background."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import BinaryIO, Self

_PIECE_BYTES = 1 << 20  # written at once: small pieces would wait for Python's lock too often
_NUM_WAITING = 8  # pieces that may be unwritten before the caller has to wait


class HashedFile:
    """Take bytes for a file; a thread writes and hashes them, which needs no Python lock.

    Errors of the disk are raised by a later `write`, or on leaving the context.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.size = 0  # bytes taken so far
        self._file = file
        self._digest = hashlib.sha256()
        self._pieces: list[bytes] = []
        self._num_bytes = 0  # in `_pieces`
        self._waiting: deque[Future[None]] = deque()
        self._pool = ThreadPoolExecutor(1)

    def __enter__(self) -> Self:
        return self

    def write(self, content: bytes) -> int:
        """Take the next bytes."""
        self._pieces.append(content)
        self._num_bytes += len(content)
        self.size += len(content)
        if self._num_bytes >= _PIECE_BYTES:
            self._hand_over()
        return len(content)

    def tell(self) -> int:
        """Return the number of bytes so far, as files do."""
        return self.size

    def sha256(self) -> str:
        """Return the checksum of all bytes, once the context has ended."""
        return self._digest.hexdigest()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._pool:  # waits until everything is written
            if kind is None:
                self._hand_over()
        for future in self._waiting if kind is None else ():
            future.result()

    def _hand_over(self) -> None:
        self._waiting.append(self._pool.submit(self._write, self._pieces))
        self._pieces, self._num_bytes = [], 0
        if len(self._waiting) > _NUM_WAITING:
            self._waiting.popleft().result()

    def _write(self, pieces: Sequence[bytes]) -> None:
        self._file.writelines(pieces)
        for piece in pieces:
            self._digest.update(piece)
