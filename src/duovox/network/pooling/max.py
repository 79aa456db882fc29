"""The maximum over time."""

from __future__ import annotations

from torch import Tensor, nn

from duovox.network.padding import true_frames


class MaxPooling(nn.Module):
    """Take the largest value of each dimension over the frames of an utterance."""

    class_frame: Tensor | None = None
    needs_token_logits = False

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.out_dim = dim

    def forward(
        self, frames: Tensor, num_frames: Tensor, token_logits: Tensor | None = None
    ) -> Tensor:
        """Return (B, D) from frames (B, T, D) and their true number num_frames (B,)."""
        is_real = true_frames(num_frames, frames.shape[1])
        return frames.masked_fill(~is_real[..., None], float("-inf")).amax(dim=1)
