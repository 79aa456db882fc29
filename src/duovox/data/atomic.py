"""Write a file so that it is there whole, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary neighbour of `path`; it takes that name once written and on the disk.

    Raises:
        ValueError: the disk is full. The temporary file is removed; `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")  # see temporary_for
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise ValueError(
                f"no space left while writing {path} ({error.strerror}): free some space "
                "and give the same command again; what is finished is kept"
            ) from error
        raise


def write_whole(path: Path, text: str) -> None:
    """Write a text file, in place of an earlier one if there is one.

    Raises:
        ValueError: the disk is full; `path` is as it was.
    """
    with atomic_file(path) as file:
        file.write(text.encode())


def temporary_for(temporary: Path) -> str:
    """Return the name that a temporary file was to take."""
    return temporary.name.removeprefix(".").rsplit(".", 2)[0]


def _sync_folder(folder: Path) -> None:
    """Make the new name itself durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
