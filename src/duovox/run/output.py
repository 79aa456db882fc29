"""Let a run outlive its terminal: what it prints must not end it when nobody can read it."""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_GONE = (errno.EIO, errno.EPIPE)  # the terminal is closed, the reader of the pipe has ended


def outlive_terminal() -> None:
    """Replace stdout and stderr, unless somebody has, by streams that never fail for a closed end.

    A checkpoint that is due would else be lost to a line of progress, and the exit code of a signal
    to what is printed last.
    """
    if sys.stdout is None:  # closed from the start: `>&-`
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
    elif sys.stdout is sys.__stdout__:
        sys.stdout = _outliving(sys.__stdout__)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - until the end
    elif sys.stderr is sys.__stderr__:
        sys.stderr = _outliving(sys.__stderr__)


class OutlivingFile(io.FileIO):
    """A terminal, pipe or file; once its other end is closed, its descriptor is the null device's.

    So everybody else who writes there is safe too: the text is lost as it is for a closed terminal.
    """

    def write(self, data: ReadableBuffer, /) -> int:
        """Write, and count what nobody can read as written."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _GONE:
                raise
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())
        os.close(null)
        return memoryview(data).nbytes


def _outliving(stream: TextIO) -> TextIO:
    """Return a stream to the same descriptor, with the same buffers (none by `python -u`)."""
    assert isinstance(stream, io.TextIOWrapper)
    stream.flush()
    file = OutlivingFile(stream.fileno(), "w", closefd=False)
    return io.TextIOWrapper(
        file if stream.write_through else io.BufferedWriter(file),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
