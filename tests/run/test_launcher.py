"""A sweep that can't be launched, or whose job fails, ends in a sentence."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from submitit.core.utils import UncompletedJobError

from duovox.run.launcher import launcher_advice

REPOSITORY = Path(__file__).resolve().parents[2]

Sweep = Callable[..., str]


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a folder for programs, in which a sweep looks for Slurm's."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def sweep(tiny_settings: list[str], programs: Path, tmp_path: Path) -> Sweep:
    """Return a function that starts a sweep that fails, and returns what it says."""

    def start(*overrides: str) -> str:
        script = str(REPOSITORY / "run_speech.py")
        command = [sys.executable, script, "-m", *tiny_settings, *overrides]
        ran = subprocess.run(
            command,
            cwd=tmp_path,
            env=os.environ | {"PATH": str(programs), "PYTHONPATH": os.pathsep.join(sys.path)},
            timeout=900,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 1
        assert "Traceback" not in ran.stderr
        return ran.stderr

    return start


def test_without_slurm_a_sweep_says_where_to_give_the_command(sweep: Sweep) -> None:
    said = sweep("hydra/launcher=slurm", "optim.algo.lr=1e-4,1e-3")
    assert "run_speech.py: Slurm's commands (srun, sbatch) are not found on this machine" in said
    assert "leave hydra/launcher=... out" in said


def test_what_slurm_refuses_is_said_in_its_words(sweep: Sweep, programs: Path) -> None:
    refusal = "sbatch: error: invalid partition specified: nowhere"
    for name in ("srun", "sbatch"):
        (programs / name).write_text(f'#!/bin/sh\necho "{refusal}" >&2\nexit 1\n')
        (programs / name).chmod(0o755)
    said = sweep("hydra/launcher=slurm", "hydra.launcher.partition=nowhere")
    assert f"Slurm refuses the jobs: {refusal}\nWhat they ask for is set by hydra.launcher" in said


def test_a_run_that_fails_in_its_job_says_why(sweep: Sweep) -> None:
    said = sweep("hydra/launcher=submitit_local", "trainer.precision=17")
    assert said.endswith(
        "run_speech.py: trainer.precision must be one of auto, 16, bf16, 32; got 17\n"
    )


KILLED = (
    "Job 12_0 (task: 0) with path a/.submitit/12_0 has not produced any output (state: OUT_OF_ME+)"
)
TRACE = (
    "Job (task=0) failed during processing with trace:\n---\nTraceback (most recent call last):\n"
)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (f"{KILLED}\nError stream produced:\n-----\nA long log\nValueError: of old", KILLED),
        (f"{KILLED}\nNo output/error stream produced ! Check: a/log", KILLED),
        (f"{TRACE}  File x\nhydra.errors.Error: no\n---\nYou can", "hydra.errors.Error: no"),
    ],
)
def test_a_job_that_ends_without_a_result_is_named_with_where_its_messages_are(
    said: str, reason: str
) -> None:
    with (
        pytest.raises(ValueError, match=r"error\.txt .*\.submitit/") as found,
        launcher_advice(),
    ):
        raise UncompletedJobError(said)
    assert str(found.value).startswith(f"a job of the sweep failed: {reason}\nMore may be in")


def test_any_other_error_stays_what_it_is() -> None:
    with pytest.raises(RuntimeError, match=r"^a mistake of ours$"), launcher_advice():
        raise RuntimeError("a mistake of ours")
