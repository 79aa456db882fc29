"""Keep the libraries below from saying what is no news to the user of a run."""

from __future__ import annotations

import logging
import warnings

_NO_NEWS = (
    r"The `srun` command is available",  # a door started by hand on a cluster's machine is fine
    r".*isinstance\(treespec, LeafSpec\)",  # inside lightning, with torch 2.11
    r".*does not have many workers",  # the number of workers is a setting
    r"You're resuming from a checkpoint that ended before the epoch ended",  # our stream resumes
    r"Checkpoint directory .* exists and is not empty",
    r"Detected call of `lr_scheduler.step\(\)` before",  # half precision skips the first steps
)


def quieten() -> None:
    """Filter the messages for the rest of the process."""
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    for message in _NO_NEWS:
        warnings.filterwarnings("ignore", message=message)
