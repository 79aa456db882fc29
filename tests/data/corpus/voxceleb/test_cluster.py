"""On Slurm an array of jobs prepares VoxCeleb in parts, and gets what a single command gets."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from duovox.data.dataset.verify import verify_dataset

SCRIPT = Path(__file__).resolve().parents[4] / "scripts" / "slurm" / "prepare_array.sh"
DUOVOX = Path(sys.executable).with_name("duovox")
SETS = ("train", "val", "test_short_list")


def command(voxceleb, out: Path) -> list[str]:
    sources = [str(voxceleb.aac), "--meta", str(voxceleb.meta), "--trials", str(voxceleb.trials)]
    options = ["--utterances-per-shard", "3", "--num-trials", "40", "--out", str(out)]
    return [str(DUOVOX), "prepare", "voxceleb", *sources, *options]


def submit(voxceleb, out: Path, *, num_parts: int) -> str:
    """Submit the array, wait until its last job is gone, and return what all jobs said."""
    done = subprocess.run(
        [str(SCRIPT), str(num_parts), str(out), *command(voxceleb, out)],
        env=os.environ | {"PREPARE_SBATCH": "--cpus-per-task=1 --time=10"},
        capture_output=True,
        text=True,
        check=True,
    )
    jobs = ",".join(re.findall(r"job (\d+)", done.stdout))
    until = time.monotonic() + 300
    while subprocess.run(
        ["squeue", "--noheader", f"--jobs={jobs}"], capture_output=True, text=True, check=False
    ).stdout.strip():
        assert time.monotonic() < until, f"jobs {jobs} take more than five minutes"
        time.sleep(0.5)
    logs = sorted((out.parent / "prepare_logs").iterdir())
    return "".join(f"{path.name}: {path.read_text()}" for path in logs)


def files_of(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != "dataset.json"]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.mark.slurm
def test_an_array_of_three_parts_makes_what_one_command_makes(voxceleb, tmp_path: Path):
    subprocess.run(command(voxceleb, tmp_path / "whole"), check=True, capture_output=True)
    out = tmp_path / "a cluster's" / "shards"
    said = submit(voxceleb, out, num_parts=3)
    for name in SETS:
        assert (out / name / "dataset.json").is_file(), said
        summary, faults = verify_dataset(out / name)
        assert faults == []
        assert len(summary.shards) > 1
    assert files_of(out) == files_of(tmp_path / "whole")
    for part in ("1/3", "2/3", "3/3"):
        assert f"part {part} is written; 0 utterances left out" in said
    assert "none of them is in training" in said  # in the job that merges

    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.tar")}
    shard = max(before)
    (shard.parent / "dataset.json").unlink()  # as if a job had been stopped before its end
    submit(voxceleb, out, num_parts=2)
    assert files_of(out) == files_of(tmp_path / "whole")
    others = {path: ns for path, ns in before.items() if path.parent != shard.parent}
    assert others == {path: path.stat().st_mtime_ns for path in others}
