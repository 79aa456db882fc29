"""Let one command at a time work in a run folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from duovox.data.lock import is_locked, locked
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
    advice = "wait for it, stop it, or change a setting such as seed"
    with locked(_lock_file(folder), what=str(folder), advice=advice):
        yield


def is_at_work(folder: Path) -> bool:
    """Tell whether a command works in a run folder just now, on this machine or another."""
    return is_locked(_lock_file(folder))


def _lock_file(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")
