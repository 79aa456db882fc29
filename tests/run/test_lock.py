"""One command at a time works in a run folder, and one that died is no hindrance."""

from __future__ import annotations

import errno
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from duovox.run.lock import alone_in, is_at_work

HOLD = """
import sys
from pathlib import Path
from duovox.run.lock import alone_in
with alone_in(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "experiment" / "run"


@pytest.fixture
def other(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Return another process that works in the folder."""
    command = [sys.executable, "-c", HOLD, str(folder)]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_command_is_refused_and_told_who_works_there(folder, other) -> None:
    holder = f"process {other.pid} on {socket.gethostname()}"
    for _ in range(2):  # asking does not break the lock
        with pytest.raises(ValueError, match=f"run is in use: .*{holder}"), alone_in(folder):
            pass


def test_one_can_see_from_outside_whether_a_command_is_at_work(folder, other) -> None:
    assert is_at_work(folder)
    assert is_at_work(folder)  # asking changes nothing
    assert not is_at_work(folder.with_name("another"))
    other.kill()
    other.wait()
    assert not is_at_work(folder)


def test_a_command_that_was_killed_locks_nothing(folder, other) -> None:
    other.kill()
    other.wait()
    with alone_in(folder):
        pass


def test_the_folder_is_free_again_after_a_failure(folder) -> None:
    with pytest.raises(OSError, match="broken"), alone_in(folder):
        raise OSError("broken")
    with alone_in(folder):
        pass


def test_the_processes_of_one_run_do_not_lock_each_other_out(folder, other, monkeypatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    with alone_in(folder):
        pass


def test_a_file_system_without_locks_is_told_of_and_used(folder, monkeypatch) -> None:
    def lockf(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.lockf", lockf)
    with pytest.warns(UserWarning, match=r"run can't be locked \(No locks"), alone_in(folder):
        pass


def test_a_run_asks_before_it_touches_the_folder(run_door, monkeypatch) -> None:
    asked: list[Path] = []

    def refuse(folder: Path) -> None:
        asked.append(folder)
        raise ValueError("in use")

    monkeypatch.setattr("duovox.run.train.alone_in", refuse)
    with pytest.raises(ValueError, match="in use"):
        run_door("speech", "resume=false")
    assert not asked[0].exists()
