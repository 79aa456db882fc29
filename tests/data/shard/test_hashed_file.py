"""What is written in the background arrives in its order, with its checksum, and errors show."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from duovox.data.shard.hashed_file import HashedFile


@pytest.mark.parametrize("size", [0, 1, 5000, 1 << 20, 3_000_001])
def test_the_bytes_arrive_in_their_order_with_their_checksum(size: int, tmp_path: Path):
    content = os.urandom(size)
    with (tmp_path / "a").open("wb") as file, HashedFile(file) as hashed:
        for start in range(0, size, 70_000):
            hashed.write(content[start : start + 70_000])
            assert hashed.tell() == min(start + 70_000, size)
    assert (tmp_path / "a").read_bytes() == content
    assert hashed.sha256() == hashlib.sha256(content).hexdigest()
    assert hashed.size == size


class Full(io.BytesIO):
    """Takes nothing more."""

    def writelines(self, lines: object, /) -> None:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("num_megabytes", [1, 40])
def test_a_full_disk_is_an_error_of_the_one_who_writes(num_megabytes: int):
    def write() -> None:
        with HashedFile(Full()) as hashed:
            for _ in range(num_megabytes):
                hashed.write(bytes(1 << 20))

    with pytest.raises(OSError, match="No space left"):
        write()


def test_an_error_of_the_one_who_writes_is_not_hidden_by_the_disk():
    def write() -> None:
        with HashedFile(Full()) as hashed:
            hashed.write(bytes(1 << 20))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
