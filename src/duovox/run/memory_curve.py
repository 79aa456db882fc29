"""Draw how much memory a run holds."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, Trainer

_BYTES_PER_GB = 1e9


class MemoryCurve(Callback):
    """Log `memory_gb` after each validation, and `gpu_memory_gb` where a GPU is at work.

    The first is what this process and its workers hold, each shared page counted once (PSS); where
    the system does not tell (outside Linux) it is left out. The second is the most that tensors of
    this process held since the validation before.
    """

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Add to the row of the validation."""
        sizes = {}
        if (held := held_bytes()) is not None:
            sizes["memory_gb"] = held / _BYTES_PER_GB
        if pl_module.device.type == "cuda":
            most = torch.cuda.max_memory_allocated(pl_module.device)
            sizes["gpu_memory_gb"] = most / _BYTES_PER_GB
            torch.cuda.reset_peak_memory_stats(pl_module.device)
        if sizes:
            pl_module.log_curves(sizes, step=trainer.global_step)


def held_bytes() -> int | None:
    """Return what this process and its workers hold in memory, or None where nobody tells."""
    processes = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
    sizes = [_proportional_bytes(Path(f"/proc/{pid}/smaps_rollup")) for pid in processes]
    known = [size for size in sizes if size is not None]
    return sum(known) if known else None


def _proportional_bytes(path: Path) -> int | None:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except OSError:  # another system, or a worker that has just ended
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), None)
