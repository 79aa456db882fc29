"""The mean over the frames where speech is, or where it is not, in the eyes of the CTC head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from duovox.network.padding import true_frames


class CtcPooling(nn.Module):
    """Average the frames whose likeliest token is a symbol, or those where it is the blank.

    An utterance without any such frame keeps all its frames.

    Args:
        pool_blanks: average the blank frames instead of the others.
        blank: token id of CTC's blank.
    """

    class_frame: Tensor | None = None
    needs_token_logits = True

    def __init__(self, dim: int, *, pool_blanks: bool = False, blank: int = 0) -> None:
        super().__init__()
        self.out_dim = dim
        self.pool_blanks = pool_blanks
        self.blank = blank

    def forward(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, D) from frames (B, T, D), num_frames (B,) and token_logits (B, T, V)."""
        assert token_logits is not None, "the network hands over what needs_token_logits asks for"
        is_real = true_frames(num_frames, frames.shape[1])
        is_blank = token_logits.argmax(dim=-1) == self.blank  # (B, T)
        is_kept = is_real & (is_blank if self.pool_blanks else ~is_blank)
        is_kept = torch.where(is_kept.any(dim=1, keepdim=True), is_kept, is_real)
        total = frames.masked_fill(~is_kept[..., None], 0.0).sum(dim=1, dtype=torch.float32)
        return total / is_kept.sum(dim=1, keepdim=True)
