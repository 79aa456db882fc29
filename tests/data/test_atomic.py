"""A file is there whole or not at all."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from duovox.data.atomic import atomic_file, temporary_for, write_whole


def test_the_file_appears_when_it_is_whole(tmp_path: Path):
    path = tmp_path / "a"
    with atomic_file(path) as file:
        file.write(b"content")
        assert not path.exists()
    assert path.read_bytes() == b"content"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def write_and_fail(path: Path, error: BaseException) -> None:
    """Write a part, then fail."""
    with atomic_file(path) as file:
        file.write(b"new")
        raise error


@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt(), SystemExit()])
def test_a_failure_leaves_the_old_file_and_nothing_else(error, tmp_path: Path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(type(error)):
        write_and_fail(tmp_path / "a", error)
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_is_told_with_what_to_do(tmp_path: Path):
    with pytest.raises(ValueError, match=r"no space left while writing .*free some space"):
        write_and_fail(tmp_path / "a", OSError(errno.ENOSPC, "No space left on device"))
    assert list(tmp_path.iterdir()) == []


def test_text_takes_the_place_of_a_file_that_stays_whole_till_then(tmp_path: Path):
    path = tmp_path / "a"
    write_whole(path, "old")
    (tmp_path / "link").hardlink_to(path)
    write_whole(path, "Ä\n")
    assert path.read_text(encoding="utf-8") == "Ä\n"
    assert (tmp_path / "link").read_text() == "old"


def test_another_fault_of_the_disk_stays_what_it_is(tmp_path: Path):
    with pytest.raises(OSError, match="Input/output error"):
        write_and_fail(tmp_path / "a", OSError(errno.EIO, "Input/output error"))


def test_a_temporary_file_tells_which_name_it_was_to_take(tmp_path: Path):
    path = tmp_path / "train-000001.tar"
    with atomic_file(path):
        (temporary,) = tmp_path.iterdir()
        assert temporary_for(temporary) == path.name
