"""A preparation that is killed again and again ends with the bytes of an undisturbed one."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from duovox.data.dataset.index import Index
from duovox.data.dataset.verify import verify_dataset

NUM_KILLS = 10


PREPARE = [sys.executable, "-c", "from duovox.cli import main; main()", "prepare"]


def of_a_manifest(speech_data: Path, folder: Path) -> list[str]:
    source = speech_data / "commands"
    return ["manifest", str(source / "train.csv"), "--data-root", str(source), "--name", "train"]


def of_an_archive(speech_data: Path, folder: Path) -> list[str]:
    archive = folder / "train-clean-100.tar.gz"
    if not archive.exists():
        with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
            for name in ("SPEAKERS.TXT", "CHAPTERS.TXT", "train-clean-100"):
                tar.add(speech_data / "librispeech" / "LibriSpeech" / name, f"LibriSpeech/{name}")
    return ["librispeech", str(archive)]


def start(arguments: list[str], out: Path, num_shards: int) -> subprocess.Popen[bytes]:
    """Start a run and wait until it writes, and there are so many shards."""
    run = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    mine = f".*.{run.pid}.tmp"
    while run.poll() is None and len(files_of(out, "*.tar")) < num_shards:
        time.sleep(0.001)
    while run.poll() is None and not files_of(out, mine):
        time.sleep(0.001)
    return run


def files_of(folder: Path, pattern: str = "*") -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob(pattern) if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preparation", "num_workers"),
    [(of_a_manifest, "0"), (of_a_manifest, "2"), (of_an_archive, "1")],
)
def test_ten_kills_at_random_points_change_nothing(
    preparation: Callable[[Path, Path], list[str]],
    num_workers: str,
    speech_data: Path,
    tmp_path: Path,
):
    undisturbed, out = tmp_path / "undisturbed", tmp_path / "killed"
    options = ["--utterances-per-shard", "5", "--workers", num_workers, "--out"]
    command = [*PREPARE, *preparation(speech_data, tmp_path), *options]
    subprocess.run([*command, str(undisturbed)], capture_output=True, check=True)

    generator = random.Random(5)
    for _ in range(NUM_KILLS):
        num_more = generator.randint(0, 2)
        run = start([*command, str(out)], out, len(files_of(out, "*.tar")) + num_more)
        time.sleep(generator.uniform(0, 0.02))
        run.send_signal(signal.SIGKILL)
        assert run.wait() == -signal.SIGKILL, "the run ended before it was killed"
        assert not files_of(out, "dataset.json")
    assert 0 < len(files_of(out, "*.tar")) < len(files_of(undisturbed, "*.tar"))
    before = {path: (out / path).stat().st_mtime_ns for path in files_of(out, "*.tar")}
    done = subprocess.run([*command, str(out)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr

    rewritten = [path for path, ns in before.items() if (out / path).stat().st_mtime_ns != ns]
    assert len(rewritten) <= 2  # one of each data set was whole, but not yet noted at the last kill
    assert files_of(out) == files_of(undisturbed)
    for path in files_of(out):
        if path.name != "dataset.json":  # which holds the command line
            assert (out / path).read_bytes() == (undisturbed / path).read_bytes(), path
    for folder in {path.parent for path in files_of(out)}:
        keys = [*Index.load([out / folder]).key]
        assert len(keys) == len({*keys})
        assert verify_dataset(out / folder)[1] == []
