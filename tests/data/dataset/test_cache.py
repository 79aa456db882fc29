"""A remote data set is copied once, whole and checked; programs are never run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import fsspec
import pytest

from duovox.data.dataset.cache import local_copy, local_file
from duovox.data.dataset.index import Index
from duovox.data.dataset.indexing import index_shards


@pytest.fixture
def address(tmp_path: Path, write_tar, wav_bytes) -> Iterator[str]:
    """Return the address of a data set of two shards in a remote store (in memory)."""
    folder = tmp_path / "remote"
    folder.mkdir()
    for name in "ab":
        members = [(f"s/{name}/1.wav", wav_bytes()), (f"s/{name}/1.json", b"{}")]
        write_tar(folder / f"{name}.tar", members)
    index_shards(folder)
    store = fsspec.filesystem("memory")
    store.put(str(folder), "/bucket/train", recursive=True)
    yield "memory://bucket/train"
    store.rm("/bucket", recursive=True)


def test_a_copy_is_a_data_set(address, tmp_path: Path):
    folder = local_copy(address, tmp_path / "cache")
    assert folder.parent == tmp_path / "cache"
    assert list(Index.load([folder]).key) == ["s/a/1", "s/b/1"]


def test_each_shard_that_is_copied_is_shown(address, tmp_path: Path):
    shown: list[object] = []

    @contextmanager
    def showing(num_shards: int) -> Iterator[Callable[[], object]]:
        shown.append(num_shards)
        yield lambda: shown.append("shard")

    local_copy(address, tmp_path / "cache", showing=showing)
    assert shown == [2, "shard", "shard"]
    local_copy(address, tmp_path / "cache", showing=showing)  # is there already
    assert shown == [2, "shard", "shard"]


def test_a_finished_copy_is_not_made_again(address, tmp_path: Path):
    folder = local_copy(address, tmp_path / "cache")
    fsspec.filesystem("memory").rm("/bucket/train/a.tar")
    assert local_copy(address, tmp_path / "cache") == folder


def test_a_copy_that_was_cut_off_goes_on(address, tmp_path: Path):
    folder = local_copy(address, tmp_path / "cache")
    for name in ("dataset.json", "b.tar"):
        (folder / name).unlink()
    fsspec.filesystem("memory").rm("/bucket/train/a.tar")  # is there already
    assert len(Index.load([local_copy(address, tmp_path / "cache")])) == 2


def test_a_data_set_that_changed_gets_a_folder_of_its_own(address, tmp_path: Path):
    folder = local_copy(address, tmp_path / "cache")
    store = fsspec.filesystem("memory")
    store.pipe("/bucket/train/dataset.json", store.cat("/bucket/train/dataset.json") + b"\n")
    assert local_copy(address, tmp_path / "cache") != folder


def test_equal_names_of_two_addresses_do_not_collide(address, tmp_path: Path):
    fsspec.filesystem("memory").cp("/bucket/train", "/bucket/other/train", recursive=True)
    folders = {
        local_copy(one, tmp_path / "cache") for one in (address, "memory://bucket/other/train")
    }
    assert len(folders) == 2
    assert {folder.name[: len("duovox-train-")] for folder in folders} == {"duovox-train-"}


def test_a_shard_that_arrives_changed_is_refused(address, tmp_path: Path):
    store = fsspec.filesystem("memory")
    content = bytearray(store.cat("/bucket/train/b.tar"))
    content[700] ^= 1
    store.pipe("/bucket/train/b.tar", bytes(content))
    with pytest.raises(ValueError, match=r"shard b\.tar arrived with another checksum"):
        local_copy(address, tmp_path / "cache")
    assert not list(tmp_path.glob("cache/*/b.tar"))
    assert not list(tmp_path.glob("cache/*/dataset.json"))


def test_a_lost_shard_is_named(address, tmp_path: Path):
    fsspec.filesystem("memory").rm("/bucket/train/b.tar")
    with pytest.raises(ValueError, match=r"b\.tar could not be copied"):
        local_copy(address, tmp_path / "cache")


def test_a_path_is_returned_as_it_is(tmp_path: Path):
    assert local_copy(str(tmp_path), tmp_path / "cache") == tmp_path


@pytest.mark.parametrize(
    "command", ["pipe:touch hacked", "pipe://touch hacked", "x | touch hacked"]
)
def test_programs_are_never_run(command, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="would run a program, which is refused"):
        local_copy(command, tmp_path / "cache")
    with pytest.raises(ValueError, match="would run a program, which is refused"):
        local_file(command, tmp_path / "cache")
    with pytest.raises(ValueError, match="is no data set"):
        Index.load([command])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("where", "says"),
    [("nonsense://a/b", "cannot be opened"), ("memory://bucket/nothing", "is no data set")],
)
def test_an_address_without_data_set_is_refused(where, says, tmp_path: Path):
    with pytest.raises(ValueError, match=says):
        local_copy(where, tmp_path / "cache")


def test_a_file_is_read_anew_each_time(address, tmp_path: Path):
    store = fsspec.filesystem("memory")
    for content in (b"old", b"new"):
        store.pipe("/bucket/trials.txt", content)
        path = local_file("memory://bucket/trials.txt", tmp_path / "cache")
        assert (path.name, path.read_bytes()) == ("trials.txt", content)


def test_a_local_file_stays_where_it_is(tmp_path: Path):
    assert local_file("lists/a.txt", tmp_path) == Path("lists/a.txt")
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_there_is_named(address, tmp_path: Path):
    with pytest.raises(ValueError, match=r"memory://bucket/none\.txt cannot be read"):
        local_file("memory://bucket/none.txt", tmp_path)
