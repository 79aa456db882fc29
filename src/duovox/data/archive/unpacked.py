"""Lend the content of a member of an archive to programs that need a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from duovox.data.archive.zip import open_zip


@contextmanager
def unpacked(path: Path, member: str) -> Iterator[Path]:
    """Give the path of an audio file: `path` itself, or a copy of the member that goes afterwards.

    ffmpeg must seek in m4a, so a pipe would not do. The name in the archive never becomes a path.

    Raises:
        ArchiveError: the archive or the member cannot be read.
    """
    if not member:
        yield path
        return
    content = open_zip(path).read(member)
    with NamedTemporaryFile(prefix="duovox-") as file:
        file.write(content)
        file.flush()
        yield Path(file.name)
