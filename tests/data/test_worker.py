"""Workers outlive the signals that a whole run gets, and end when the main process says so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import torch
from torch.utils.data import DataLoader

from duovox.data.worker import leave_signals_to_main

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="senders of signals are unknown")


class Numbers(torch.utils.data.Dataset[int]):
    def __len__(self) -> int:
        return 1000

    def __getitem__(self, number: int) -> int:
        return number


@pytest.fixture
def numbers() -> Iterator[int]:
    """Return what a loader with one worker yields."""
    settings = {"batch_size": None, "num_workers": 1, "worker_init_fn": leave_signals_to_main}
    return iter(DataLoader(Numbers(), **settings))


@pytest.mark.parametrize("name", ["TERM", "INT", "HUP", "USR2"])
def test_a_signal_from_elsewhere_does_not_end_a_worker(numbers, name: str) -> None:
    assert next(numbers) == 0
    subprocess.run(["kill", f"-{name}", str(numbers._workers[0].pid)], check=True)
    assert [next(numbers) for _ in range(20)] == list(range(1, 21))


def test_the_main_process_ends_a_worker(numbers) -> None:
    assert next(numbers) == 0
    (worker,) = numbers._workers
    numbers._shutdown = True  # or torch would take it for a crash
    before = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        os.kill(worker.pid, signal.SIGTERM)
        worker.join(10)
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert worker.exitcode == 0
