"""The loss of pre-training: the contrast, and two penalties beside it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from duovox.loss.contrastive import Contrast


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainingLosses:
    """The loss of a batch and its parts, before their weights; all but `total` are for curves."""

    total: Tensor  # () what is minimised, a sum over masked frames
    contrastive: Tensor  # ()
    diversity: Tensor  # () 0 when all entries of the codebooks are used equally
    feature_penalty: Tensor  # ()
    accuracy: Tensor  # () share of masked frames whose target is found among the negatives
    num_masked: int  # M


class PretrainingLoss(nn.Module):
    """Add a penalty for unused codebook entries and one for loud features to the contrast.

    The contrast is a sum over masked frames. The conventions differ in whether the penalties grow
    with it:

    | convention | diversity_share | scale_penalties | feature_penalty_weight |
    |---|---|---|---|
    | the paper, fairseq | True | True | 10 |
    | Hugging Face, SpeechBrain | True | True | 0 |
    | nano (batch-size study) | False | False | 10 |

    Args:
        diversity_weight: of the entries that are not used: G V minus the perplexities.
        diversity_epsilon: added inside the logarithm of the perplexity.
        diversity_share: count those entries as a share of all, G V.
        feature_penalty_weight: of the mean square of the features.
        scale_penalties: multiply both by the number of masked frames, so that their part in the
            loss does not depend on the size of the batch.

    Source: Baevski et al. 2020, "wav2vec 2.0", section 3.2 and equation 4.
    """

    def __init__(
        self,
        *,
        diversity_weight: float = 0.1,
        diversity_epsilon: float = 1e-7,
        diversity_share: bool = True,
        feature_penalty_weight: float = 10.0,
        scale_penalties: bool = True,
    ) -> None:
        super().__init__()
        for name, value in (
            ("diversity_weight", diversity_weight),
            ("diversity_epsilon", diversity_epsilon),
            ("feature_penalty_weight", feature_penalty_weight),
        ):
            if value < 0:
                raise ValueError(f"{name} must not be negative, got {value}")
        self.diversity_weight = diversity_weight
        self.diversity_epsilon = diversity_epsilon
        self.diversity_share = diversity_share
        self.feature_penalty_weight = feature_penalty_weight
        self.scale_penalties = scale_penalties

    def forward(
        self, contrast: Contrast, *, probabilities: Tensor, feature_penalty: Tensor
    ) -> PretrainingLosses:
        """Return the sum of the three and what it is made of.

        Args:
            probabilities: (G, V) mean probability of each entry of the codebooks.
            feature_penalty: () mean square of the features.
        """
        unused = probabilities.numel() - perplexity(probabilities, self.diversity_epsilon).sum()
        diversity = unused / probabilities.numel() if self.diversity_share else unused
        if self.scale_penalties:
            diversity = diversity * contrast.num_masked
            feature_penalty = feature_penalty * contrast.num_masked
        total = contrast.loss + self.diversity_weight * diversity
        if self.feature_penalty_weight > 0:
            total = total + self.feature_penalty_weight * feature_penalty
        return PretrainingLosses(
            total=total,
            contrastive=contrast.loss.detach(),
            diversity=diversity.detach(),
            feature_penalty=feature_penalty.detach(),
            accuracy=contrast.num_right / contrast.num_masked,
            num_masked=contrast.num_masked,
        )


def perplexity(probabilities: Tensor, epsilon: float = 1e-7) -> Tensor:
    """Return (G,) how many entries of each codebook are in use, from (G, V) mean probabilities.

    Probabilities underflow to 0, where without an epsilon the gradient is kept finite all the same.
    """
    logarithms = (probabilities + epsilon).clamp_min(torch.finfo(probabilities.dtype).tiny).log()
    return torch.exp(-(probabilities * logarithms).sum(dim=-1))
