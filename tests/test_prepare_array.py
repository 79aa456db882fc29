"""The Slurm array writes every part and merges them; an sbatch that runs jobs here stands in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from duovox.data.dataset.verify import verify_dataset

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "slurm" / "prepare_array.sh"

# Runs what --wrap holds, once for each task of an array, and prints a job number.
SBATCH = """#!/usr/bin/env bash
echo "$*" >> "$CALLS"
tasks=1
for argument in "$@"; do
  case $argument in
    --array=1-*) tasks=${argument#--array=1-} ;;
    --wrap=*) wrapped=${argument#--wrap=} ;;
  esac
done
for task in $(seq "$tasks"); do
  SLURM_ARRAY_TASK_ID=$task bash -c "$wrapped" >> "$CALLS.log" 2>&1 || exit 1
done
echo "17;cluster"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose PATH has `sbatch` and `duovox`."""
    (tmp_path / "bin").mkdir()
    for name, text in {
        "sbatch": SBATCH,
        "duovox": f"#!{sys.executable}\nfrom duovox.cli import main\nmain()\n",
    }.items():
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "CALLS": str(tmp_path / "calls.txt")}


def run(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPT), *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_an_array_of_jobs_writes_a_data_set(environment: dict[str, str], tmp_path: Path):
    lines = ["ID,wav,spk_id"]
    for number in range(4):
        name = f"it's $({number}).wav"
        soundfile.write(tmp_path / name, np.full(800, 0.1), 16_000)
        lines.append(f"u{number},{name},s{number % 2}")
    (tmp_path / "all.csv").write_text("\n".join(lines))
    out = tmp_path / "a folder" / "train"
    command = ["duovox", "prepare", "manifest", tmp_path / "all.csv", "--out", out]
    options = environment | {"PREPARE_SBATCH": "--partition=cpu --mem=8G"}
    done = run(options, 2, out, *command, "--utterances-per-shard", 1)
    assert done.returncode == 0, done.stderr + (tmp_path / "calls.txt.log").read_text()
    summary, faults = verify_dataset(out)
    assert (summary.num_utterances, len(summary.shards), faults) == (4, 4, [])
    array, merge = (tmp_path / "calls.txt").read_text().splitlines()
    assert "--partition=cpu --mem=8G" in array
    assert "--array=1-2" in array
    assert "--dependency=afterok:17 " in merge
    assert "--part $SLURM_ARRAY_TASK_ID/2" in array
    assert "$SLURM_ARRAY_TASK_ID" not in merge


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["2", "out", "duovox"], "usage:"),
        (["none", "out", "duovox", "--out", "out"], "PARTS must be a whole number"),
        (["2", "out", "duovox", "--out", "other"], "the command must hold --out out"),
        (["2", "out", "duovox", "--out", "out", "--part", "1/2"], "leave --part out"),
    ],
)
def test_a_wrong_call_is_explained(arguments: list[str], message: str, environment: dict[str, str]):
    done = run(environment, *arguments)
    assert done.returncode == 2
    assert message in done.stderr
