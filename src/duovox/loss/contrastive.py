"""Contrast: tell what a masked frame hides from what other masked frames hide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The contrastive loss of a batch, and how often the true target won."""

    loss: Tensor  # () summed over the masked frames
    num_right: Tensor  # () frames whose true target is more similar than every negative
    num_masked: int  # M


class ContrastiveLoss(nn.Module):
    """Classify the target of each masked frame among N negatives by cosine similarity.

    A frame meets its negatives in the similarities of all masked frames of its utterance, one
    matrix product per utterance, so (M, N, P) negatives are never laid out. A negative with the
    same codes as the true target is no wrong answer, and is left out; where that leaves none, as
    when the codebooks collapse, the frame has nothing to get right.

    Args:
        temperature: divides the cosines before the softmax.

    Source: Baevski et al. 2020, "wav2vec 2.0", equation 3; van den Oord et al. 2018 (CPC).
    """

    def __init__(self, *, temperature: float = 0.1) -> None:
        super().__init__()
        if temperature <= 0:
            raise ValueError(f"the contrastive temperature must be above 0, got {temperature}")
        self.temperature = temperature

    def forward(
        self,
        contexts: Tensor,
        targets: Tensor,
        *,
        codes: Tensor,
        negatives: Tensor,
        num_masked: Sequence[int],
    ) -> Contrast:
        """Compare contexts (M, P) and targets (M, P), utterance after utterance, in float32.

        Args:
            codes: (M, G) entries that the targets are made of.
            negatives: (M, N) places among the masked frames of the same utterance.
            num_masked: masked frames of each utterance; their sum is M.
        """
        with torch.autocast(contexts.device.type, enabled=False):
            contexts, targets = (F.normalize(side.float(), dim=1) for side in (contexts, targets))
            parts = (contexts, targets, codes, negatives.long())
            utterances = zip(*(torch.split(part, [*num_masked]) for part in parts), strict=True)
            cosines = torch.cat([_cosines(*utterance) for utterance in utterances])  # (M, 1 + N)
            logits = cosines / self.temperature
            true_place = codes.new_zeros(len(logits))
            return Contrast(
                loss=F.cross_entropy(logits, true_place, reduction="sum"),
                num_right=_num_right(logits.detach()),
                num_masked=len(logits),
            )


def _cosines(contexts: Tensor, targets: Tensor, codes: Tensor, negatives: Tensor) -> Tensor:
    """Return (m, 1 + N) cosines of the m masked frames of an utterance: to the target, to others.

    Negatives that are the target in other words are -inf: they have no part in the softmax.
    """
    cosines = contexts @ targets.T  # (m, m)
    is_same = (codes[:, None] == codes).all(dim=-1).fill_diagonal_(False)  # (m, m)
    itself = torch.arange(len(negatives), device=negatives.device)[:, None]
    chosen = torch.cat([itself, negatives], dim=1)  # (m, 1 + N)
    return cosines.masked_fill(is_same, -torch.inf).gather(1, chosen)


def _num_right(logits: Tensor) -> Tensor:
    hardest = logits[:, 1:].amax(dim=1)  # -inf where no negative is left
    return ((logits[:, 0] > hardest) & hardest.isfinite()).sum()
