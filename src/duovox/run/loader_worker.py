"""Say what to change where a worker process of a data loader fails."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from duovox.run.sentence import sentence
from duovox.run.settings import Settings

# What torch raises where a worker is gone, is out of memory, or can not send its batches.
_DEATH = re.compile(
    r"DataLoader worker \(pid|Caught \w*MemoryError in DataLoader worker"
    r"|Communication with the workers is no longer possible"
)


@contextmanager
def worker_advice(num_workers: Mapping[str, int]) -> Iterator[None]:
    """Turn the failure of a worker process of a loader into settings that start fewer of them.

    Args:
        num_workers: how many are started, by what a user types before the number, such as
            "speech.dataloader.num_workers=".

    Raises:
        ValueError: a worker failed; with the cause, the settings to change, and their values.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        cause = _cause(error)
        if cause is None:
            raise
        now = ", ".join(f"{name}{number}" for name, number in num_workers.items())
        fewer = " ".join(f"{name}{number // 2}" for name, number in num_workers.items())
        raise ValueError(
            f"a worker process of a data loader failed: {cause}.\nThe usual reason is memory: with "
            '"Killed", the system ended the process because there was none left; with "Bus '
            'error", /dev/shm is too small for the batches on their way (in a container, see '
            f"--shm-size of docker). Fewer workers need less of both. Now: {now}. Give the same "
            f"command with {fewer}; a run resumes from its last checkpoint"
        ) from error


def workers_of(settings: Settings) -> dict[str, int]:
    """Return how many loader workers a run starts, by setting; those it starts none of are out."""
    chosen = {
        "speech.dataloader.num_workers=": settings.speech,
        "speaker.dataloader.num_workers=": settings.speaker,
        "data.pipe.train.num_workers=": settings.ssl,
    }
    counts = {name: part.dataloader.num_workers for name, part in chosen.items() if part}
    return {name: number for name, number in counts.items() if number}


def _cause(error: BaseException | None) -> str | None:
    """Return what torch says of the worker; the first error of a chain names the signal."""
    found = None
    while error is not None:
        if isinstance(error, Exception) and _DEATH.search(str(error)):
            found = sentence(error).strip(" .")
        error = error.__cause__ or error.__context__
    return found
