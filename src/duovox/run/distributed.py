"""Train in several processes that wait for each other, but not for ever."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import torch
from lightning.pytorch.strategies import DDPStrategy

from duovox.loss.processes import num_processes

_PATIENCE = timedelta(minutes=10)  # a step takes seconds, a checkpoint a minute at most
_LOST = re.compile("closed by peer|reset by peer|broken pipe|timed out|timeout", re.IGNORECASE)


def several_processes(*, has_unused: bool) -> DDPStrategy:
    """Return Lightning's strategy for one process per GPU.

    Args:
        has_unused: let processes look for parameters that a step has not used.
    """
    return DDPStrategy(find_unused_parameters=has_unused, timeout=_PATIENCE)


@contextmanager
def told_of_lost_processes() -> Iterator[None]:
    """Turn the failure of a collective operation into what has happened and what to do.

    Raises:
        ValueError: another process has ended, or has not answered for ten minutes.
    """
    try:
        yield
    except RuntimeError as error:
        is_backend = isinstance(error, torch.distributed.DistError)
        if num_processes() < 2 or not (is_backend or _LOST.search(str(error))):
            raise
        raise ValueError(
            "another process of this run has ended, or has not answered for "
            f"{_PATIENCE.seconds // 60} minutes ({error}). It says why where it wrote its messages "
            "(of a SLURM job, in the log of the job); the same command goes on from the last "
            "checkpoint"
        ) from error
