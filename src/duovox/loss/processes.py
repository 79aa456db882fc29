"""What the processes that train together must agree on."""

from __future__ import annotations

import torch
from torch import Tensor


def num_processes() -> int:
    """Return how many processes train together; 1 outside distributed training."""
    return torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1


def average_over_processes(values: Tensor) -> Tensor:
    """Replace the values (...) of each process by the mean over all, and return them."""
    if num_processes() > 1:
        torch.distributed.all_reduce(values)
        values /= num_processes()
    return values
