"""Let one command at a time work in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duovox.data.lock import locked
from duovox.run.environment import is_main_process


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold `.<run>.lock` beside the folder; of processes that train together, the main one does.

    It lies beside the folder because `resume=false` puts that one aside.

    Raises:
        ValueError: another command holds it.
    """
    if not is_main_process():
        yield
        return
    path = folder.with_name(f".{folder.name}.lock")
    advice = "wait for it, stop it, or change a setting such as seed"
    with locked(path, what=str(folder), advice=advice):
        yield
