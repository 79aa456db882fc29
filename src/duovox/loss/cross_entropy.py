"""Plain classification of speakers."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn


class CrossEntropyLoss(nn.Module):
    """Average the negative log-probability of each utterance's own speaker, in float32."""

    def forward(self, logits: Tensor, speaker_ids: Tensor) -> Tensor:
        """Return a scalar from logits (B, K) and class ids (B,) in [0, K)."""
        return F.cross_entropy(logits.float(), speaker_ids)
