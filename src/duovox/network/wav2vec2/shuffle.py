"""Put the frames of an utterance in another order."""

from __future__ import annotations

import torch
from torch import Tensor

from duovox.network.padding import true_frames


def shuffle_frames(frames: Tensor, num_frames: Tensor, *, num_kept: int = 0) -> Tensor:
    """Return frames (B, T, D) in a random order of their own for each utterance.

    Padding stays behind, and the first `num_kept` frames stay in front.

    Args:
        num_frames: (B,) true numbers of frames.
    """
    places = torch.arange(frames.shape[1], device=frames.device)
    rank = torch.rand(frames.shape[:2], device=frames.device)  # of the true frames: in [0, 1)
    stays = (places < num_kept) | ~true_frames(num_frames, frames.shape[1])
    rank = torch.where(stays, places - num_kept + (places >= num_kept).float(), rank)
    order = rank.argsort(dim=1)  # (B, T)
    return frames.gather(1, order[..., None].expand_as(frames))
