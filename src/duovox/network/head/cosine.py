"""Cosines to every speaker, for losses with an angular margin."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from duovox.network.dropout import Dropout

MAX_COSINE = 1 - 1e-7  # at 1 the angle has no finite gradient


class CosineHead(nn.Module):
    """Measure the angle between an embedding and the direction of each speaker.

    Both are normalised and multiplied in float32, whatever the precision of the training. With
    several centers a speaker is as near as the nearest of them, so that noisy utterances and odd
    recordings can gather around one of their own.

    Args:
        in_dim: width E of the embeddings.
        num_speakers: number K of classes.
        dropout: on the embeddings.
        num_centers: directions C of each speaker. The weight's row of speaker k's center c is
            c K + k.

    Source: Deng et al. 2019, ArcFace, equation 2 without margin and scale; Deng et al. 2020,
    "Sub-center ArcFace", section 3.2, for several centers.
    """

    def __init__(
        self, in_dim: int, num_speakers: int, *, dropout: float = 0.0, num_centers: int = 1
    ) -> None:
        super().__init__()
        self.in_dim = in_dim
        self.dropout = Dropout(dropout)
        self.num_centers = num_centers
        self.weight = nn.Parameter(torch.empty(num_centers * num_speakers, in_dim))
        nn.init.xavier_normal_(self.weight)

    def forward(self, embedding: Tensor) -> Tensor:
        """Return cosines (B, K) inside (-1, 1) of embeddings (B, E)."""
        with torch.autocast(embedding.device.type, enabled=False):
            directions = F.normalize(self.weight.float(), dim=1)
            unit = F.normalize(self.dropout(embedding).float(), dim=1)
            cosines = F.linear(unit, directions)  # (B, C K)
            if self.num_centers > 1:
                cosines = (
                    cosines.view(len(cosines), self.num_centers, -1).max(dim=1).values
                )  # (B, K)
            return cosines.clamp(-MAX_COSINE, MAX_COSINE)
