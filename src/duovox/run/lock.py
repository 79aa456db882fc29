"""Let one command at a time work in a run folder."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duovox.run.environment import is_main_process


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold `.<run>.lock` beside the folder; of processes that train together, the main one does.

    It lies beside the folder because `resume=false` puts that one aside. The system takes the lock
    back when its process ends, however it ends, so the file that stays behind locks nothing.

    Raises:
        ValueError: another command holds it.
    """
    if not is_main_process():
        yield
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    path = folder.with_name(f".{folder.name}.lock")
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EAGAIN):
                raise ValueError(_refusal(folder, path)) from error
            text = f"{folder} can't be locked ({error.strerror}): start no second command there"
            warnings.warn(text, stacklevel=3)
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


def _refusal(folder: Path, path: Path) -> str:
    holder = path.read_text(encoding="utf-8").strip()
    return (
        f"{folder} is in use: the same command is running already, in {holder}. Two would write "
        "over each other: wait for it, stop it, or change a setting such as seed"
    )
