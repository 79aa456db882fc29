"""scripts/slurm/run.sh: a run as a job of Slurm, for which programs that record stand in."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from signal import SIGUSR1

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "slurm" / "run.sh"
GRACE = "JobState=RUNNING Requeue=1 PreemptTime=2026-11-21T23:39:34"

# srun types the command as a step, which scancel signals; scontrol says what the job is told of.
START = '#!/bin/bash\necho "$(basename "$0") $*" >> "$CALLS"\n'
PROGRAMS = {
    "srun": 'shift\n"$@" &\necho $! > "$CALLS.pid"\nwait $!',
    "scancel": 'kill -TERM "$(cat "$CALLS.pid")"',
    "scontrol": '[ "$1" = requeue ] || echo "$STATE"',
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a job."""
    (tmp_path / "bin").mkdir()
    for name, text in PROGRAMS.items():
        (tmp_path / "bin" / name).write_text(f"{START}{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "calls").touch()
    return {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "CALLS": str(tmp_path / "calls"),
        "STATE": "JobState=RUNNING Requeue=1 PreemptTime=None",
        "SLURM_JOB_ID": "7",
        "SLURM_CPUS_PER_TASK": "6",
        "SLURM_SUBMIT_DIR": str(tmp_path),
    }


def job(environment: dict[str, str], *arguments: str, signal: int | None = None) -> tuple[int, str]:
    """Return the exit code of a job, and what it asked of Slurm."""
    calls = Path(environment["CALLS"])
    with subprocess.Popen([SCRIPT, *arguments], env=environment) as process:
        while signal is not None and not calls.with_name("calls.pid").exists():
            time.sleep(0.01)
        if signal is not None:
            time.sleep(0.3)  # until the step listens
            process.send_signal(signal)
    return process.returncode, calls.read_text()


@pytest.mark.parametrize("code", [0, 1])
def test_the_run_is_a_step_whose_exit_code_is_the_jobs(environment, code: int) -> None:
    found, calls = job(environment, "sh", "-c", f"exit {code}")
    assert found == code
    assert calls == f"srun --cpus-per-task=6 sh -c exit {code}\n"


def test_a_run_that_leaves_before_its_time_limit_is_queued_again(environment) -> None:
    code, calls = job(environment, "sleep", "30", signal=SIGUSR1)
    assert code == 143
    assert calls.splitlines()[1:] == ["scancel --signal=TERM 7", "scontrol requeue 7"]


def test_a_run_that_is_over_by_its_time_limit_is_not(environment) -> None:
    code, calls = job(
        environment, "bash", "-c", "trap 'exit 0' TERM; sleep 2 & wait", signal=SIGUSR1
    )
    assert code == 0
    assert "requeue" not in calls


@pytest.mark.parametrize(("state", "is_queued"), [(GRACE, True), ("JobState=COMPLETING", False)])
def test_a_run_that_is_preempted_is_queued_again_and_a_cancelled_one_is_not(
    environment, state: str, is_queued: bool
) -> None:
    _, calls = job(environment | {"STATE": state}, "sh", "-c", "exit 143")
    assert "scontrol show job --oneliner 7\n" in calls
    assert ("scontrol requeue 7\n" in calls) == is_queued


def test_a_task_of_an_array_types_its_line_and_is_named_by_it(environment, tmp_path) -> None:
    (tmp_path / "jobs.txt").write_text("false\nsh -c 'echo $0 > said; exit 143' tag=[a,b]\n")
    array = {"SLURM_ARRAY_JOB_ID": "7", "SLURM_ARRAY_TASK_ID": "2", "STATE": GRACE}
    _, calls = job(environment | array, "--line-of", "jobs.txt")
    assert (tmp_path / "said").read_text() == "tag=[a,b]\n"
    assert calls.endswith("scontrol requeue 7_2\n")
    code, _ = job(environment | array | {"SLURM_ARRAY_TASK_ID": "3"}, "--line-of", "jobs.txt")
    assert code == 2


def test_it_is_no_job_by_itself(environment) -> None:
    del environment["SLURM_JOB_ID"]
    assert job(environment, "true") == (2, "")
