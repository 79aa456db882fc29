"""A preparation that is killed again and again ends with the bytes of an undisturbed one."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from duovox.data.dataset.index import Index
from duovox.data.dataset.verify import verify_dataset

NUM_KILLS = 10


def command(speech_data: Path, out: Path, num_workers: int) -> list[str]:
    source = speech_data / "commands"
    return [
        *(sys.executable, "-c", "from duovox.cli import main; main()", "prepare", "manifest"),
        *(str(source / "train.csv"), "--data-root", str(source), "--out", str(out)),
        *("--name", "train", "--utterances-per-shard", "16", "--workers", str(num_workers)),
    ]


def start(arguments: list[str], out: Path) -> subprocess.Popen[bytes]:
    """Start a run and wait until it writes."""
    run = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while run.poll() is None and not any(out.glob(".*.tmp")):
        time.sleep(0.002)
    return run


@pytest.mark.slow
@pytest.mark.parametrize("num_workers", [0, 2])
def test_ten_kills_at_random_points_change_nothing(
    num_workers: int, speech_data: Path, tmp_path: Path
):
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "killed"
    run = start(command(speech_data, undisturbed, num_workers), undisturbed)
    began = time.monotonic()
    assert run.wait() == 0
    seconds = time.monotonic() - began

    generator = random.Random(5)
    for _ in range(NUM_KILLS):
        run = start(command(speech_data, out, num_workers), out)
        time.sleep(generator.uniform(0, seconds / (1.5 * NUM_KILLS)))
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL, "the run ended before it was killed"
        assert not (out / "dataset.json").exists()
    assert 0 < len([*out.glob("*.tar")]) < len([*undisturbed.glob("*.tar")])
    before = {path: path.stat().st_mtime_ns for path in out.glob("*.tar")}
    done = subprocess.run(command(speech_data, out, num_workers), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr

    rewritten = [path for path, time_ns in before.items() if path.stat().st_mtime_ns != time_ns]
    assert len(rewritten) <= 1  # a shard that was whole, but not yet noted when the last kill came
    names = {path.name for path in undisturbed.iterdir()}
    assert {path.name for path in out.iterdir()} == names
    for name in names - {"dataset.json"}:  # which holds the command line
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes(), name
    keys = [*Index.load([out]).key]
    assert len(keys) == len({*keys})
    assert verify_dataset(out)[1] == []
