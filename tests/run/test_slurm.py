"""A run asks Slurm whether it is pre-empted; a program with what Slurm 22.05 said stands in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from duovox.run.slurm import is_preempted

GRACE = "PreemptEligibleTime=2026-11-21T23:39:30 PreemptTime="
SAID = {
    "JobId=29 JobState=RUNNING Reason=None Requeue=1 " + GRACE + "2026-11-21T23:39:34": True,
    "JobId=29 JobState=RUNNING Reason=None Requeue=1 " + GRACE + "None": False,  # sent a signal
    "JobId=27 JobState=COMPLETING Reason=None Requeue=1 " + GRACE + "None": False,  # cancelled
    "JobId=28 JobState=COMPLETING Reason=None Requeue=1 EndTime=Unknown": False,  # requeued
}


@pytest.fixture
def scontrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], Path]:
    """Return a function that puts up the program, and returns the file of what it was asked."""

    def put_up(says: str, code: int = 0) -> Path:
        program, asked = tmp_path / "scontrol", tmp_path / "asked"
        program.write_text(f'#!/bin/sh\necho "$*" > "{asked}"\necho "{says}"\nexit {code}\n')
        program.chmod(0o755)
        return asked

    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("SLURM_JOB_ID", "29")
    for part in ("JOB", "TASK"):
        monkeypatch.delenv(f"SLURM_ARRAY_{part}_ID", raising=False)
    return put_up


@pytest.mark.parametrize("says", SAID)
def test_only_a_job_that_runs_in_its_period_of_grace_is_preempted(scontrol, says: str) -> None:
    asked = scontrol(says)
    assert is_preempted() == SAID[says]
    assert asked.read_text() == "show job --oneliner 29\n"


def test_a_task_of_an_array_asks_for_itself(scontrol, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its number alone may be that of the whole array."""
    asked = scontrol("")
    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "29")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "0")
    assert not is_preempted()
    assert asked.read_text() == "show job --oneliner 29_0\n"


def test_where_slurm_cannot_be_asked_nothing_is_preempted(scontrol, monkeypatch) -> None:
    preempted = next(iter(SAID))
    scontrol(preempted, code=1)
    assert not is_preempted()
    scontrol(preempted)
    assert is_preempted()
    monkeypatch.delenv("SLURM_JOB_ID")
    assert not is_preempted()
