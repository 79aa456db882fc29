"""Speaker recognition: who says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from duovox.batch import NetworkOutput, SpeakerBatch


@dataclass(frozen=True, kw_only=True)
class SpeakerTask:
    """Tell the training speakers apart, so that embeddings of any speaker come to lie apart.

    Args:
        classification: loss of the speaker logits, for networks with a speaker head.
        triplet: loss of the embeddings, or None.
        classification_weight, triplet_weight: of each in their sum.

    Source: Deng et al. 2019, ArcFace (the margin); Vaessen & van Leeuwen 2022 (on wav2vec 2.0).
    """

    classification: Callable[[Tensor, Tensor], Tensor]
    triplet: Callable[[Tensor, Tensor], Tensor] | None = None
    classification_weight: float = 1.0
    triplet_weight: float = 0.0

    def forward(self, network: nn.Module, batch: SpeakerBatch) -> tuple[NetworkOutput, Tensor]:
        """Return embeddings and speaker logits of the batch, and the sum of the losses."""
        output = network(batch.waves, batch.num_samples, task="speaker")
        return output, self.loss(output, batch)

    def loss(self, output: NetworkOutput, batch: SpeakerBatch) -> Tensor:
        """Return the sum of the losses of what the network heard in the batch."""
        losses = []
        if output.speaker_logits is not None:
            loss = self.classification(output.speaker_logits, batch.speaker_ids)
            losses.append(self.classification_weight * loss)
        if self.triplet is not None:
            assert output.embedding is not None
            losses.append(self.triplet_weight * self.triplet(output.embedding, batch.speaker_ids))
        return torch.stack(losses).sum()

    def glance(self, batch: SpeakerBatch, output: NetworkOutput) -> dict[str, float]:
        """Return the share of training utterances whose speaker is ranked first, given a head."""
        if output.speaker_logits is None:
            return {}
        is_right = output.speaker_logits.argmax(dim=-1) == batch.speaker_ids  # (B,)
        return {"train_acc": is_right.float().mean().item()}
