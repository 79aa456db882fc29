"""Logits of the tokens, frame by frame."""

from __future__ import annotations

from torch import Tensor, nn


class CtcHead(nn.Module):
    """Map each frame to the logits of the vocabulary.

    Args:
        in_dim: width of the frames.
        vocabulary_size: number V of tokens, the blank included.
        dropout: on the frames.
    """

    def __init__(self, in_dim: int, vocabulary_size: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.in_dim = in_dim
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(in_dim, vocabulary_size)

    def forward(self, frames: Tensor) -> Tensor:
        """Return float32 logits (B, T, V) of frames (B, T, D)."""
        logits: Tensor = self.linear(self.dropout(frames))
        return logits.float()
