"""Bring data sets and trial lists from an object store or a web server to a local folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from duovox.data.atomic import atomic_file
from duovox.data.dataset.summary import DATASET_FILE, INDEX_FILE, DatasetSummary
from duovox.data.shard.summary import ShardSummary, checksum

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

Showing = Callable[[int], AbstractContextManager[Callable[[], object]]]

_BLOCK = 1 << 20  # bytes
_NOTHING = nullcontext(lambda: None)


def local_copy(
    address: str, cache_folder: Path, *, showing: Showing = lambda num_shards: _NOTHING
) -> Path:
    """Return a local folder with the data set at `address`, copying what is not there yet.

    A path without `://` is returned as it is. The copy's folder is named by the address and the
    content of its summary, so that a data set that changed is copied anew and equal names never
    collide. As everywhere, `dataset.json` comes last: a copy that was cut off goes on.

    Args:
        showing: Called with the number of shards when these are copied; gives what is called after
            each of them, for progress bars.

    Raises:
        ValueError: a `pipe:` address, one that nobody understands, no data set there, or a shard
            that arrives with another checksum.
    """
    if not _is_remote(address):
        return Path(address)
    system, root = _connect(address)
    content = _read_summary(system, root, address)
    folder = cache_folder / _name(address, content)
    if not (folder / DATASET_FILE).is_file():
        _fill(folder, content, system, root, showing)
    return folder


def local_file(address: str, cache_folder: Path) -> Path:
    """Return a local path of the one small file at `address`, such as a trial list.

    A path without `://` is returned as it is. Everything else is read anew each time, and lies in
    the cache under its own name, in a folder named like those of `local_copy`.

    Raises:
        ValueError: a `pipe:` address, one that nobody understands, or no file there.
    """
    if not _is_remote(address):
        return Path(address)
    system, remote = _connect(address)
    try:
        content = bytes(system.cat_file(remote))
    except OSError as error:
        raise ValueError(f"{address} cannot be read: {error}") from None
    path = cache_folder / _name(address, content) / Path(remote).name
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write(content)
    return path


def _is_remote(address: str) -> bool:
    if address.startswith("pipe:") or "|" in address:
        raise ValueError(
            f"{address!r} would run a program, which is refused: name a local path, or an address "
            "that fsspec knows (s3://, gs://, https://, ...)"
        )
    return "://" in address


def _name(address: str, content: bytes) -> str:
    """Name a folder of the cache by the address and the content found there."""
    digest = hashlib.sha256(address.encode() + b"\0" + content).hexdigest()[:16]
    return f"duovox-{Path(address).stem}-{digest}"


def _connect(address: str) -> tuple[AbstractFileSystem, str]:
    from fsspec.core import url_to_fs

    try:
        system, root = url_to_fs(address)
    except (ValueError, ImportError) as error:
        raise ValueError(f"{address!r} cannot be opened: {error}") from None
    return system, str(root).rstrip("/")


def _read_summary(system: AbstractFileSystem, root: str, address: str) -> bytes:
    try:
        return bytes(system.cat_file(f"{root}/{DATASET_FILE}"))
    except OSError as error:
        raise ValueError(f"{address} is no data set: no {DATASET_FILE} there ({error})") from None


def _fill(
    folder: Path, content: bytes, system: AbstractFileSystem, root: str, showing: Showing
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    summary = DatasetSummary.parse(content, root)
    _copy(system, f"{root}/{INDEX_FILE}", folder / INDEX_FILE)
    with showing(len(summary.shards)) as advance:
        for shard in summary.shards:
            path = folder / shard.name
            if not path.is_file() or checksum(path) != shard.sha256:
                _copy(system, f"{root}/{shard.name}", path)
                _check(path, shard)
            advance()
    with atomic_file(folder / DATASET_FILE) as file:
        file.write(content)


def _copy(system: AbstractFileSystem, remote: str, path: Path) -> None:
    try:
        with system.open(remote, "rb") as source, atomic_file(path) as target:
            while block := source.read(_BLOCK):
                target.write(block)
    except OSError as error:
        raise ValueError(f"{remote} could not be copied: {error}") from error


def _check(path: Path, shard: ShardSummary) -> None:
    if checksum(path) != shard.sha256:
        path.unlink()
        raise ValueError(
            f"shard {shard.name} arrived with another checksum than its summary names: copy again, "
            "and verify the data set at its source"
        )
