"""Speaker logits for cross-entropy."""

from __future__ import annotations

from torch import Tensor, nn

from duovox.network.dropout import Dropout


class LinearHead(nn.Module):
    """Map each embedding to the logits of the speakers.

    Args:
        in_dim: width E of the embeddings.
        num_speakers: number K of classes.
        dropout: on the embeddings.
    """

    def __init__(self, in_dim: int, num_speakers: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.in_dim = in_dim
        self.dropout = Dropout(dropout)
        self.linear = nn.Linear(in_dim, num_speakers)

    def forward(self, embedding: Tensor) -> Tensor:
        """Return float32 logits (B, K) of embeddings (B, E)."""
        logits: Tensor = self.linear(self.dropout(embedding))
        return logits.float()
