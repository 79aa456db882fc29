"""The feature encoder: seven convolutions from 16,000 samples to 49 frames per second."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from duovox.network.padding import true_frames
from duovox.network.wav2vec2.architecture import Architecture
from duovox.network.wav2vec2.conv_layer import ConvLayer
from duovox.network.wav2vec2.wave_layer import GroupNormWaveLayer, LayerNormWaveLayer

# Inference makes so many frames of a batch at once, to save memory. The inner values of 2.5 s fit
# in a processor's cache; other devices want long pieces. Short ones overlap too much.
PIECE_FRAMES_CPU, PIECE_FRAMES, MIN_PIECE_FRAMES = 125, 10_000, 25


class FeatureEncoder(nn.Module):
    """Turn waves into frames of `conv_channels[-1]` features.

    The group norm of the published base network averages over padding too, so what it makes of an
    utterance depends on its neighbours in the batch. Length-aware, it counts true frames only.

    Args:
        length_aware: leave padding out of the group norm; False restores the published behaviour.
    """

    def __init__(self, architecture: Architecture, *, length_aware: bool) -> None:
        super().__init__()
        self.architecture = architecture
        self.length_aware = length_aware
        self.layers = nn.ModuleList([_wave_layer(architecture)])
        has_norm = architecture.conv_norm == "layer"
        for (in_channels, out_channels), kernel, stride in zip(
            pairwise(architecture.conv_channels),
            architecture.conv_kernels[1:],
            architecture.conv_strides[1:],
            strict=True,
        ):
            self.layers.append(
                ConvLayer(
                    in_channels,
                    out_channels,
                    kernel,
                    stride,
                    bias=architecture.conv_bias,
                    norm_epsilon=architecture.norm_epsilon if has_norm else None,
                )
            )

    def forward(self, waves: Tensor, num_samples: Tensor) -> Tensor:
        """Return frames (B, T, C) of waves (B, S) with their true lengths num_samples (B,)."""
        receptive_field = self.architecture.receptive_field
        if waves.shape[1] < receptive_field:
            raise ValueError(
                f"a wave must have at least {receptive_field} samples to make one frame, got "
                f"{waves.shape[1]}: leave shorter utterances out of the data"
            )
        wave_layer, *conv_layers = self.layers
        assert isinstance(wave_layer, GroupNormWaveLayer | LayerNormWaveLayer)
        windows = self._windows(waves)
        folded = wave_layer.fold(windows, self._counted(windows, num_samples))
        pieces = []
        for piece in self._pieces(waves):
            frames: Tensor = wave_layer(self._windows(piece), *folded)
            for layer in conv_layers:
                frames = layer(frames)
            pieces.append(frames)
        return torch.cat(pieces, dim=1)

    def _windows(self, waves: Tensor) -> Tensor:
        """Return what each first frame sees, (B, T, k): a view."""
        return waves.unfold(1, self.architecture.conv_kernels[0], self.architecture.conv_strides[0])

    def _counted(self, windows: Tensor, num_samples: Tensor) -> Tensor:
        """Return (B, T) bool: the windows that the group norm counts."""
        kernel, stride = self.architecture.conv_kernels[0], self.architecture.conv_strides[0]
        is_counted = true_frames((num_samples - kernel) // stride + 1, windows.shape[1])
        return is_counted if self.length_aware else torch.ones_like(is_counted)

    def _pieces(self, waves: Tensor) -> list[Tensor]:
        """Cut waves into pieces that make neighbouring frames; with gradients, do not cut."""
        if torch.is_grad_enabled():
            return [waves]
        batch_size, num_samples = waves.shape
        hop, receptive_field = self.architecture.hop, self.architecture.receptive_field
        budget = PIECE_FRAMES_CPU if waves.device.type == "cpu" else PIECE_FRAMES
        step = max(budget // batch_size, MIN_PIECE_FRAMES)
        num_frames = self.architecture.num_frames(num_samples)
        return [
            waves[:, first * hop : (min(first + step, num_frames) - 1) * hop + receptive_field]
            for first in range(0, num_frames, step)
        ]


def _wave_layer(architecture: Architecture) -> GroupNormWaveLayer | LayerNormWaveLayer:
    num_channels, kernel = architecture.conv_channels[0], architecture.conv_kernels[0]
    epsilon = architecture.norm_epsilon
    if architecture.conv_norm == "group":
        return GroupNormWaveLayer(num_channels, kernel, epsilon=epsilon)
    return LayerNormWaveLayer(num_channels, kernel, bias=architecture.conv_bias, epsilon=epsilon)
