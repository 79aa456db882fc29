"""Several processes give what one gives, and none of them outlives a run that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from duovox.data.dataset.parallel import mapping, one_ahead

KILL_ME = """
import os, sys, time
from duovox.data.dataset.parallel import mapping
if __name__ == "__main__":
    with mapping(2) as in_order:
        print(*in_order(os.path.abspath, "abcd"), flush=True)
        print("ready", flush=True)
        time.sleep(60)
"""


@pytest.mark.parametrize("num_workers", [0, 2])
def test_results_come_in_order(num_workers: int):
    with mapping(num_workers, chunk=3) as in_order:
        assert list(in_order(abs, range(-10, 0))) == list(range(10, 0, -1))


def test_each_thing_comes_after_the_next_one_was_taken():
    taken: list[int] = []
    numbers = (taken.append(number) or number for number in range(3))  # type: ignore[func-returns-value]
    seen = [(number, len(taken)) for number in one_ahead(numbers)]
    assert seen == [(0, 2), (1, 3), (2, 3)]
    assert list(one_ahead([])) == []


def test_an_error_does_not_wait_for_the_work_that_is_not_begun():
    began = time.monotonic()

    def fail() -> None:
        with mapping(1) as in_order:
            in_order(time.sleep, [0.1] * 600)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert time.monotonic() - began < 30


def test_a_killed_worker_is_a_sentence():
    message = "give the same command again with fewer --workers"
    with pytest.raises(ValueError, match=message), mapping(1) as in_order:
        list(in_order(os._exit, [1]))


def test_workers_end_when_their_run_is_killed(tmp_path: Path):
    (tmp_path / "run.py").write_text(KILL_ME)
    run = subprocess.Popen([sys.executable, tmp_path / "run.py"], stdout=subprocess.PIPE)
    assert run.stdout is not None
    assert run.stdout.readline().split()
    assert run.stdout.readline() == b"ready\n"
    workers = _children(run.pid)
    assert len(workers) >= 2
    run.send_signal(signal.SIGKILL)
    run.wait()
    run.stdout.close()
    end = time.monotonic() + 20
    while any(map(_is_alive, workers)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in workers if _is_alive(pid)]


def _children(parent: int) -> list[int]:
    if not Path("/proc/self/task").exists():
        pytest.skip("needs /proc to find the processes of a run")
    tasks = Path(f"/proc/{parent}/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]


def _is_alive(pid: int) -> bool:
    """Tell whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
