"""Logits of the tokens, frame by frame."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from duovox.network.dropout import Dropout


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
        self.dropout = Dropout(dropout)
        self.linear = nn.Linear(in_dim, vocabulary_size)

    @torch.no_grad()
    def lean(self, blank: int, *, bias: float, scale: float) -> None:
        """Let the drawn head begin with blanks, as a trained one gives them to most frames.

        Args:
            bias: added to the blank's.
            scale: of the weights of all other tokens.

        Source: Vaessen & van Leeuwen 2024, "The effect of batch size on contrastive
        self-supervised speech representation learning": 5 and 0.1 in its code.
        """
        is_blank = torch.arange(len(self.linear.weight)) == blank  # (V,)
        self.linear.weight.mul_(torch.where(is_blank, 1.0, scale)[:, None])
        self.linear.bias[blank] += bias

    def forward(self, frames: Tensor) -> Tensor:
        """Return float32 logits (B, T, V) of frames (B, T, D)."""
        logits: Tensor = self.linear(self.dropout(frames))
        return logits.float()
