"""Speaker recognition: who says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from duovox.batch import NetworkOutput, SpeakerBatch


@dataclass(frozen=True, kw_only=True)
class SpeakerTask:
    """Tell the training speakers apart, so that embeddings of any speaker come to lie apart.

    Source: Deng et al. 2019, ArcFace (the margin); Vaessen & van Leeuwen 2022 (on wav2vec 2.0).
    """

    classification: Callable[[Tensor, Tensor], Tensor]

    def forward(self, network: nn.Module, batch: SpeakerBatch) -> tuple[NetworkOutput, Tensor]:
        """Return embeddings and speaker logits of the batch, and the classification loss."""
        output = network(batch.waves, batch.num_samples, task="speaker")
        assert output.speaker_logits is not None
        return output, self.classification(output.speaker_logits, batch.speaker_ids)

    def glance(self, batch: SpeakerBatch, output: NetworkOutput) -> dict[str, float]:
        """Return the share of training utterances whose speaker is ranked first."""
        assert output.speaker_logits is not None
        is_right = output.speaker_logits.argmax(dim=-1) == batch.speaker_ids  # (B,)
        return {"train_acc": is_right.float().mean().item()}
