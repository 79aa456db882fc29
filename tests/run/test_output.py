"""A run whose terminal is closed, or whose output nobody reads any more, saves and stops."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

REPOSITORY = Path(__file__).resolve().parents[2]

WRITER = """
import sys
from duovox.run.output import outlive_terminal

outlive_terminal()
print("first", flush=True)
sys.stdin.read()
for _ in range(3):
    print("lost")
    print("lost", file=sys.stderr)
    sys.stdout.flush()
print("lost, and flushed at the end")
raise SystemExit(7)
"""


def write(output: int, *, unbuffered: str = "") -> subprocess.Popen[bytes]:
    """Start a process that writes, and writes on once its stdin is closed."""
    return subprocess.Popen(
        [sys.executable, "-c", WRITER],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=output,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    )


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("make_ends", [pty.openpty, os.pipe])
def test_what_nobody_can_read_ends_nothing(
    make_ends: Callable[[], tuple[int, int]], unbuffered: str
) -> None:
    reading, writing = make_ends()
    process = write(writing, unbuffered=unbuffered)
    os.close(writing)
    assert os.read(reading, 5) == b"first"
    os.close(reading)
    process.communicate(timeout=300)
    assert process.returncode == 7


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_what_can_be_read_is_written_as_ever(tmp_path: Path, unbuffered: str) -> None:
    with (tmp_path / "out").open("w") as file:
        process = write(file.fileno(), unbuffered=unbuffered)
        process.communicate(timeout=300)
    assert (tmp_path / "out").read_text().count("lost\n") == 6


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_is_an_error_as_ever() -> None:
    with open("/dev/full", "w") as file:
        process = write(file.fileno())
        process.communicate(timeout=300)
    assert process.returncode not in (0, 7)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_output_that_is_closed_from_the_start_ends_nothing(closed: str) -> None:
    program = (
        "import sys; from duovox.run.output import outlive_terminal; outlive_terminal();"
        "from duovox.progress import Progress, console_on;"
        "[Progress(console_on(one)).print('lost') for one in (sys.stdout, sys.stderr)];"
        "raise SystemExit(7)"
    )
    command = ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, program]
    assert subprocess.run(command, capture_output=True, timeout=300).returncode == 7


def own_terminal() -> None:
    """Make stdin the controlling terminal of a new session, whose closing hangs up."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may run under nohup
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_a_run_whose_terminal_is_closed_saves_its_step_and_says_why(
    tiny_settings: list[str], tmp_path: Path
) -> None:
    settings = [
        *tiny_settings,
        "eval_model=false",
        "speech.dataloader.num_workers=1",
        "trainer.val_check_interval=2",
        "callbacks.save_every_minutes=60",
        "trainer.max_steps=100000",
    ]
    screen, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, str(REPOSITORY / "run_speech.py"), *settings],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        cwd=tmp_path,
        start_new_session=True,
        preexec_fn=own_terminal,
    )
    os.close(terminal)
    try:
        while not [*tmp_path.glob("logs/*/*/*/checkpoints/last.ckpt")]:  # of the first validation
            os.read(screen, 1000)  # the progress bar, which is never silent for long
        os.close(screen)
        assert process.wait(timeout=300) == 129
    finally:
        process.kill()
    (path,) = tmp_path.glob("logs/*/*/*/training.json")
    training = json.loads(path.read_text())
    step = training["steps"]
    assert step >= 2
    assert training["reason"] == (
        f"training stopped after step {step:,} of 100,000 by SIGHUP; the same command resumes"
    )
    last = torch.load(path.parent / "checkpoints" / "last.ckpt", weights_only=True)
    assert last["global_step"] == step
    assert not (path.parent / "error.txt").exists()
