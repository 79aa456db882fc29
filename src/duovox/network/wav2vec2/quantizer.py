"""From features to entries of learned codebooks: the targets of pre-training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from duovox.network.wav2vec2.product import Linear

SMALLEST_NOISE = torch.finfo(torch.float32).tiny  # an exponential of 0 would have no logarithm


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantized:
    """What the codebooks make of M features, and how they are used."""

    vectors: Tensor  # (M, D) the chosen entries of all codebooks side by side
    codes: Tensor  # (M, G) int64, the numbers of the chosen entries
    probabilities: Tensor  # (G, V) mean over the features, before noise; has gradients
    shares: Tensor  # (G, V) of the features that chose each entry


class ProductQuantizer(nn.Module):
    """Replace each feature by one entry of each of G codebooks.

    In training the choice is random (Gumbel noise on the logits) and passes its gradient straight
    through: forward the entry counts wholly, backward as the softmax at a temperature would. In
    eval it is the entry with the largest logit.

    Args:
        in_dim: width C of the features.
        num_codebooks: G.
        num_entries: V, entries of each codebook.
        out_dim: D, width of the vectors; each codebook gives D / G of it.

    Source: Baevski et al. 2020, "wav2vec 2.0", section 2; Jang et al. 2017 (Gumbel softmax); Jegou
    et al. 2011 (product quantisation).
    """

    def __init__(
        self, in_dim: int, *, num_codebooks: int = 2, num_entries: int = 320, out_dim: int = 256
    ) -> None:
        super().__init__()
        if min(num_codebooks, num_entries, out_dim) < 1 or out_dim % num_codebooks:
            raise ValueError(
                "the quantiser needs at least one codebook with one entry, and a width that is a "
                f"multiple of the codebooks, got num_codebooks={num_codebooks}, "
                f"num_entries={num_entries}, out_dim={out_dim}"
            )
        self.out_dim = out_dim
        self.logits = Linear(in_dim, num_codebooks * num_entries)
        self.codebooks = nn.Parameter(
            torch.rand(num_codebooks, num_entries, out_dim // num_codebooks)
        )
        nn.init.normal_(self.logits.weight)
        nn.init.zeros_(self.logits.bias)

    def forward(self, features: Tensor, *, temperature: float) -> Quantized:
        """Quantise features (M, C); a high temperature makes the gradient of the choice soft."""
        logits = self.logits(features).float().unflatten(1, self.codebooks.shape[:2])  # (M, G, V)
        probabilities = logits.softmax(dim=-1)
        if self.training:
            soft = ((logits + gumbel_noise(logits)) / temperature).softmax(dim=-1)
        else:
            soft = probabilities
        codes = soft.argmax(dim=-1)  # (M, G)
        hard = torch.zeros_like(soft).scatter_(-1, codes[..., None], 1.0)
        choice = hard - soft.detach() + soft if self.training else hard
        return Quantized(
            vectors=torch.einsum("mgv,gvd->mgd", choice, self.codebooks).flatten(1),
            codes=codes,
            probabilities=probabilities.mean(dim=0),
            shares=hard.mean(dim=0),
        )


def gumbel_noise(logits: Tensor) -> Tensor:
    """Draw Gumbel noise of the shape of the logits."""
    exponential = torch.empty_like(logits).exponential_().clamp_(min=SMALLEST_NOISE)
    return -exponential.log()
