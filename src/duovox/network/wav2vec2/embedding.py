"""From features to what the transformer works on."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from duovox.network.dropout import Dropout
from duovox.network.padding import true_frames
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.mask import SpanMasking
from duovox.network.wav2vec2.position import PositionalConv
from duovox.network.wav2vec2.product import Linear
from duovox.network.wav2vec2.shuffle import shuffle_frames

Shuffle = Literal["before", "after"]  # the positions


class Embedding(nn.Module):
    """Project the features, mask spans of them, put a class frame in front, and add positions.

    Args:
        feat_proj_dropout: on the projected features, before masking.
        hidden_dropout: on the result.
        shuffle: in training, forget the order of the frames before or after they get positions.
    """

    def __init__(
        self,
        architecture: Architecture,
        *,
        masking: SpanMasking,
        feat_proj_dropout: float,
        hidden_dropout: float,
        shuffle: Shuffle | None = None,
    ) -> None:
        super().__init__()
        self.shuffle = shuffle
        width, num_features = architecture.width, architecture.conv_channels[-1]
        self.feature_norm = nn.LayerNorm(num_features, eps=architecture.norm_epsilon)
        self.projection = Linear(num_features, width)
        self.projection.draw(width)
        self.projection_dropout = Dropout(feat_proj_dropout)
        self.masking = masking
        self.position = PositionalConv(
            width,
            architecture.position_kernel,
            architecture.position_groups,
            activation=architecture.conv_activation,
        )
        self.norm = (
            nn.Identity()
            if architecture.pre_norm
            else nn.LayerNorm(width, eps=architecture.norm_epsilon)
        )
        self.dropout = Dropout(hidden_dropout)

    def forward(
        self,
        features: Tensor,
        num_frames: Tensor,
        class_frame: Tensor | None,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return frames (B, T, D) and their number (B,), both with the class frame (D,) if given.

        Padding is set to zero before the positions, which would otherwise spread it.

        Args:
            features: (B, T, C), normalised by `feature_norm`.
            mask: (B, T) bool, the frames to hide; None: those that `masking` draws.
        """
        frames = self.projection_dropout(self.projection(features))
        frames = self.masking(frames, num_frames, mask)
        if self.training and self.shuffle == "before":
            frames = shuffle_frames(frames, num_frames)
        if class_frame is not None:
            front = class_frame.to(frames.dtype).expand(len(frames), 1, -1)
            frames, num_frames = torch.cat([front, frames], dim=1), num_frames + 1
        is_padding = ~true_frames(num_frames, frames.shape[1])
        frames = frames.masked_fill(is_padding[..., None], 0.0)
        frames = self.dropout(self.norm(frames + self.position(frames)))
        if self.training and self.shuffle == "after":
            num_kept = 0 if class_frame is None else 1
            frames = shuffle_frames(frames, num_frames, num_kept=num_kept)
        return frames, num_frames
