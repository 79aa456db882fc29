"""Tell true frames from padding."""

from __future__ import annotations

import torch
from torch import Tensor


def true_frames(num_frames: Tensor, max_frames: int) -> Tensor:
    """Return (B, T) bool, True where a frame belongs to its utterance, from num_frames (B,)."""
    return torch.arange(max_frames, device=num_frames.device) < num_frames[:, None]
