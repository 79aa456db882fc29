"""Two processes never write the same part, and nobody writes beside one that writes everything."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from duovox.data.dataset.log import alone_in
from duovox.data.dataset.part import Part
from duovox.data.dataset.write import ShardOptions, write_dataset, written_before

HOLD = """
import sys
from pathlib import Path
from duovox.data.dataset.log import alone_in
from duovox.data.dataset.part import Part
with alone_in(Path(sys.argv[1]), part=Part.parse(sys.argv[2]) if sys.argv[2:] else None):
    print("held", flush=True)
    sys.stdin.read()
"""
Hold = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """Return a function that starts another process, which writes a part or everything."""
    processes = []

    def start(*part: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", HOLD, str(tmp_path), *part]
        pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, **pipes)
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def write(folder: Path, part: str | None) -> None:
    with alone_in(folder, part=Part.parse(part) if part else None):
        pass


@pytest.mark.parametrize(
    ("others", "mine", "is_free"),
    [
        ([], None, False),
        ([], "1/2", False),
        (["1/2"], None, False),
        (["1/2"], "1/2", False),
        (["1/2"], "2/2", True),
    ],
)
def test_who_may_write_beside_whom(others, mine, is_free, hold: Hold, tmp_path: Path):
    other = hold(*others)
    if not is_free:
        with pytest.raises(ValueError, match=f"is in use: .* in process {other.pid} on "):
            write(tmp_path, mine)
        other.kill()
        other.wait()
    write(tmp_path, mine)


def test_a_second_preparation_leaves_the_first_one_alone(hold: Hold, utterances, tmp_path: Path):
    hold()
    begun = tmp_path / ".train-000000.tar.1.tmp"
    begun.touch()
    options = ShardOptions(utterances_per_shard=4)
    with pytest.raises(ValueError, match="is in use"):
        write_dataset(utterances, tmp_path, name="train", options=options)
    assert begun.exists()


def test_what_another_process_writes_is_not_tidied(hold: Hold, utterances, tmp_path: Path):
    summary, _ = write_dataset(utterances, tmp_path, name="train")
    other, log = hold(), tmp_path / ".unfinished.jsonl"
    log.touch()
    written = partial(written_before, utterances, tmp_path, name="train", options=ShardOptions())
    assert written() == summary
    assert log.exists()
    other.kill()
    other.wait()
    assert written() == summary
    assert not log.exists()


def test_no_lock_stays_behind(utterances, tmp_path: Path):
    write_dataset(utterances, tmp_path / "out", name="train")
    write(tmp_path / "out", "1/2")
    write(tmp_path / "out", None)
    assert not list((tmp_path / "out").glob(".writing*"))
