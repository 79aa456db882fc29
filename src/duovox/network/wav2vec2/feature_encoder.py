"""The feature encoder: seven convolutions from 16,000 samples to 49 frames per second."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from duovox.network.padding import true_frames
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.wave_layer import GroupNormWaveLayer, LayerNormWaveLayer


class FeatureEncoder(nn.Module):
    """Turn waves into frames of `conv_channels[-1]` features.

    The group norm of the published base network averages over padding too, so what it makes of an
    utterance depends on its neighbours in the batch. Length-aware, it counts true frames only.

    Args:
        length_aware: leave padding out of the group norm; False restores the published behaviour.
    """

    def __init__(self, architecture: Architecture, *, length_aware: bool) -> None:
        super().__init__()
        self.kernel, *kernels = architecture.conv_kernels
        self.stride, *strides = architecture.conv_strides
        self.receptive_field = architecture.receptive_field
        self.length_aware = length_aware
        self.layers = nn.ModuleList([_wave_layer(architecture)])
        has_norm = architecture.conv_norm == "layer"
        channels = pairwise(architecture.conv_channels)
        for (ins, outs), kernel, stride in zip(channels, kernels, strides, strict=True):
            self.layers.append(
                ConvLayer(
                    ins,
                    outs,
                    kernel,
                    stride,
                    bias=architecture.conv_bias,
                    norm_epsilon=architecture.norm_epsilon if has_norm else None,
                )
            )

    def forward(self, waves: Tensor, num_samples: Tensor) -> Tensor:
        """Return frames (B, T, C) of waves (B, S) with their true lengths num_samples (B,)."""
        if waves.shape[1] < self.receptive_field:
            raise ValueError(
                f"a wave must have at least {self.receptive_field} samples to make one frame, got "
                f"{waves.shape[1]}: leave shorter utterances out of the data"
            )
        windows = waves.unfold(1, self.kernel, self.stride)  # (B, T, k)
        num_windows = (num_samples - self.kernel) // self.stride + 1
        is_counted = true_frames(num_windows, windows.shape[1])
        if not self.length_aware:
            is_counted = torch.ones_like(is_counted)
        wave_layer, *conv_layers = self.layers
        frames: Tensor = wave_layer(windows, is_counted)
        for layer in conv_layers:
            frames = layer(frames)
        return frames


class ConvLayer(nn.Module):
    """Convolve frames (B, T, C), normalise over the channels if asked to, and apply GELU."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int,
        *,
        bias: bool,
        norm_epsilon: float | None,
    ) -> None:
        super().__init__()
        self.conv = nn.Conv1d(in_channels, out_channels, kernel, stride, bias=bias)
        self.norm = (
            nn.Identity() if norm_epsilon is None else nn.LayerNorm(out_channels, eps=norm_epsilon)
        )
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, frames: Tensor) -> Tensor:
        """Return (B, T', C') from (B, T, C)."""
        convolved: Tensor = self.conv(frames.transpose(1, 2)).transpose(1, 2)
        return F.gelu(self.norm(convolved))


def _wave_layer(architecture: Architecture) -> GroupNormWaveLayer | LayerNormWaveLayer:
    num_channels, kernel = architecture.conv_channels[0], architecture.conv_kernels[0]
    epsilon = architecture.norm_epsilon
    if architecture.conv_norm == "group":
        return GroupNormWaveLayer(num_channels, kernel, epsilon=epsilon)
    return LayerNormWaveLayer(num_channels, kernel, bias=architecture.conv_bias, epsilon=epsilon)
