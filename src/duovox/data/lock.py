"""Let one process at a time write somewhere."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(
    path: Path, *, what: str, advice: str = "wait for it, or stop it", is_shared: bool = False
) -> Iterator[None]:
    """Hold a lock file. The system takes the lock back when its process ends, however it ends.

    The file stays behind and locks nothing. Where the file system knows no locks, there is a
    warning.

    Args:
        what: Is locked, for messages.
        advice: What to do when another process holds it.
        is_shared: Several processes may hold it so; it keeps out those who want it alone.

    Raises:
        ValueError: another process holds it; the message names that process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.lockf(file, (fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                holder = path.read_text(encoding="utf-8").strip()
                raise ValueError(
                    f"{what} is in use: the same command is running already, in {holder}. Two "
                    f"would write over each other: {advice}"
                ) from None
            text = f"{what} can't be locked ({error.strerror}): start no second command there"
            warnings.warn(text, stacklevel=4)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def is_locked(path: Path) -> bool:
    """Tell whether another process holds a lock file, without a trace.

    Not where the file system knows no locks. To be asked by none that holds the lock itself: it
    would lose it (POSIX takes all locks of a process on a file when one of its handles is closed).
    """
    try:
        with path.open("rb") as file:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # given back on closing
    except OSError as error:  # also: there is no such file
        return error.errno in (errno.EACCES, errno.EAGAIN) and path.is_file()
    return False
