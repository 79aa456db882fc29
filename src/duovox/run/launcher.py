"""Say what to change where a sweep can't be launched, or one of its jobs ends in an error."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

_ERROR = re.compile(r"^[\w.]+(?:Error|Exception)\b.*$", re.MULTILINE)  # last line of a traceback
_LOG = re.compile(r"\n(?:Error stream|No )")  # where submitit adds what the job printed


@contextmanager
def launcher_advice() -> Iterator[None]:
    """Turn what submitit raises, which are RuntimeErrors, into sentences.

    Raises:
        ValueError: Slurm is not here or refuses the jobs, or one of them failed.
    """
    try:
        yield
    except RuntimeError as error:
        text = _advice(error)
        if text is None:
            raise
        raise ValueError(text) from error


def _advice(error: RuntimeError) -> str | None:
    said = str(error).strip()
    if 'Could not detect "srun"' in said:
        return (
            "Slurm's commands (srun, sbatch) are not found on this machine: give the command on "
            "one of the cluster, or leave hydra/launcher=... out to train one after the other here"
        )
    if not type(error).__module__.startswith("submitit."):
        return None
    if re.match(r"Job .*\(task", said):  # it was submitted
        errors = _ERROR.findall(said) if "with trace:" in said else []
        reason = errors[-1] if errors else _LOG.split(said)[0]
        return (
            f"a job of the sweep failed: {reason}\nMore may be in error.txt of its run folder, and "
            "in .submitit/ of the sweep's folder, where its messages are; the same command submits "
            "what is not done"
        )
    return (
        f"Slurm refuses the jobs: {said or 'it gives no reason'}\nWhat they ask for is set by "
        "hydra.launcher.* and in .env (docs/slurm.md)"
    )
