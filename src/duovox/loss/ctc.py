"""Connectionist temporal classification: from frames to tokens without an alignment."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CtcLoss(nn.Module):
    """Average the negative log-likelihood of each transcript, per token.

    The log-softmax runs in float32 whatever the logits' type: half precision loses the small
    probabilities that the forward-backward sums live on. An utterance that has too few frames for
    its tokens has likelihood 0; it counts as a loss of 0 with no gradient, see `infeasible`.

    Source: Graves et al. 2006, "Connectionist Temporal Classification".
    """

    def __init__(self, *, blank: int = 0) -> None:
        super().__init__()
        self.blank = blank

    def forward(
        self, token_logits: Tensor, num_frames: Tensor, tokens: Tensor, num_tokens: Tensor
    ) -> Tensor:
        """Return the mean over utterances of each one's loss divided by its number of tokens.

        Args:
            token_logits: (B, T, V) before softmax.
            num_frames: (B,) true frames of each utterance. Lengths on the CPU save a device sync.
            tokens: (B, L) padded with anything.
            num_tokens: (B,) true tokens of each utterance; an empty transcript divides by 1.
        """
        log_probabilities = F.log_softmax(token_logits, dim=-1, dtype=torch.float32)
        return F.ctc_loss(
            log_probabilities.transpose(0, 1),  # (T, B, V)
            tokens,
            num_frames,
            num_tokens,
            blank=self.blank,
            reduction="mean",
            zero_infinity=True,
        )


def infeasible(num_frames: Tensor, tokens: Tensor, num_tokens: Tensor) -> Tensor:
    """Tell which utterances have no CTC path, as a (B,) bool tensor on their device.

    A path needs a frame per token and one more, a blank, between two equal neighbours. These are
    the utterances that `CtcLoss` learns nothing from: sum them up, read the sum rarely.
    """
    is_inside = torch.arange(tokens.shape[1], device=tokens.device)[1:] < num_tokens[:, None]
    is_repeat = (tokens[:, 1:] == tokens[:, :-1]) & is_inside  # (B, L - 1)
    return num_frames < num_tokens + is_repeat.sum(dim=1)
