"""From the frames of an utterance to one embedding.

A pooling is a module with one file, one class and three promises (`Pooling`). It must not look at
padding, it must be finite for an utterance of one frame, gradient included, and it must say how
wide its embedding is. `tests/network/pooling/test_pooling.py` checks the promises for every pooling
on its list; a new one adds a line there.

    class MeanPooling(nn.Module):
        class_frame: Tensor | None = None
        needs_token_logits = False

        def __init__(self, dim: int) -> None:
            super().__init__()
            self.out_dim = dim

        def forward(self, frames, num_frames, token_logits=None):
            ...

Two poolings want more than frames, and say so by an attribute that the network reads:
`first+cls` asks for a vector in front of the frames (`class_frame`), which comes back, after the
transformer, as frame 0 and is counted by num_frames; `ctc` asks for the token logits of the same
frames (`needs_token_logits`).
"""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Pooling(Protocol):
    """What the network expects of a pooling."""

    out_dim: int  # width E of the embedding
    class_frame: Tensor | None  # (D,) vector to put in front of the frames, or None
    needs_token_logits: bool

    def __call__(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, E) from frames (B, T, D), num_frames (B,) and token_logits (B, T, V)."""
        ...
