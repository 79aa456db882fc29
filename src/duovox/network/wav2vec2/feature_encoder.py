"""The feature encoder: seven convolutions from 16,000 samples to 49 frames per second."""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
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
        for (in_channels, out_channels), kernel, stride, padding in zip(
            pairwise(architecture.conv_channels),
            architecture.conv_kernels[1:],
            architecture.conv_strides[1:],
            architecture.conv_paddings[1:],
            strict=True,
        ):
            self.layers.append(
                ConvLayer(
                    in_channels,
                    out_channels,
                    kernel,
                    stride,
                    padding=padding,
                    bias=architecture.conv_bias,
                    norm_epsilon=architecture.norm_epsilon if has_norm else None,
                    activation=architecture.conv_activation,
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
        waves = self._cleared(waves[..., None], num_samples)[..., 0]
        windows = self._windows(waves)
        counts = self.architecture.frame_counts(num_samples)
        folded = wave_layer.fold(windows, self._counted(windows, counts[0]))
        pieces = []
        for piece in self._pieces(waves):
            frames: Tensor = wave_layer(self._windows(piece), *folded)
            for layer, num_frames in zip(conv_layers, counts, strict=False):
                frames = layer(self._cleared(frames, num_frames))
            pieces.append(frames)
        return torch.cat(pieces, dim=1)

    @property
    def _pads(self) -> bool:
        return any(self.architecture.conv_paddings)

    def _cleared(self, frames: Tensor, num_frames: Tensor) -> Tensor:
        """Set (B, T, C) to zero behind its utterances, as they would be alone, if that is seen."""
        if not (self._pads and self.length_aware):
            return frames
        return frames * true_frames(num_frames, frames.shape[1])[..., None]

    def _windows(self, waves: Tensor) -> Tensor:
        """Return what each first frame sees, (B, T, k): a view."""
        if padding := self.architecture.conv_paddings[0]:
            waves = F.pad(waves, (padding, padding))
        return waves.unfold(1, self.architecture.conv_kernels[0], self.architecture.conv_strides[0])

    def _counted(self, windows: Tensor, num_windows: Tensor) -> Tensor:
        """Return (B, T) bool: the windows that the group norm counts."""
        is_counted = true_frames(num_windows, windows.shape[1])
        return is_counted if self.length_aware else torch.ones_like(is_counted)

    def _pieces(self, waves: Tensor) -> list[Tensor]:
        """Cut waves into pieces that make neighbouring frames.

        They stay whole with gradients, and where zeros are put at their ends.
        """
        if torch.is_grad_enabled() or self._pads:
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
    epsilon, activation = architecture.norm_epsilon, architecture.conv_activation
    if architecture.conv_norm == "group":
        return GroupNormWaveLayer(num_channels, kernel, epsilon=epsilon, activation=activation)
    bias = architecture.conv_bias
    return LayerNormWaveLayer(
        num_channels, kernel, bias=bias, epsilon=epsilon, activation=activation
    )
