"""What a run asks of Slurm: whether its job is pre-empted."""

from __future__ import annotations

import os
import re
import subprocess


def is_preempted() -> bool:
    """Tell whether this job was told to leave for another, within a period of grace.

    A job that leaves in that period is not queued again by Slurm itself. One that is cancelled or
    requeued by hand is completing by then, or queued.
    """
    job = _job()
    if job is None:
        return False
    command = ["scontrol", "show", "job", "--oneliner", job]
    try:
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return False  # Slurm can't be asked: it can't be asked to queue the job again either
    return bool(re.search(r"\bJobState=RUNNING\b.*\bPreemptTime=\d", said))


def _job() -> str | None:
    """Return the number of this job; the first task of an array shares the array's own number."""
    array, task = (os.environ.get(f"SLURM_ARRAY_{part}_ID") for part in ("JOB", "TASK"))
    return f"{array}_{task}" if array and task else os.environ.get("SLURM_JOB_ID")
