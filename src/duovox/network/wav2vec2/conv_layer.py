"""The layers of the feature encoder after the first."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from duovox.network.wav2vec2.product import Activation, activate, is_float32_on_cpu, product

WIDE_CHANNELS = 256  # from so many on, a product over copied windows is quicker on processors


class ConvLayer(nn.Module):
    """Convolve frames (B, T, C), normalise over the channels if asked to, and apply GELU.

    Args:
        padding: frames of zeros to put before and behind.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        stride: int,
        *,
        padding: int = 0,
        bias: bool,
        norm_epsilon: float | None,
        activation: Activation = "gelu",
    ) -> None:
        super().__init__()
        self.kernel, self.stride, self.padding = kernel, stride, padding
        self.activation: Activation = activation
        self.is_wide = in_channels >= WIDE_CHANNELS
        self.conv = nn.Conv1d(in_channels, out_channels, kernel, stride, bias=bias)
        self.norm = None if norm_epsilon is None else nn.LayerNorm(out_channels, eps=norm_epsilon)
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, frames: Tensor) -> Tensor:
        """Return (B, T', C') from (B, T, C)."""
        if self.padding:
            frames = F.pad(frames, (0, 0, self.padding, self.padding))
        if self.norm is None:
            return self._convolve(frames, activation=self.activation)
        return activate(self.norm(self._convolve(frames, activation="none")), self.activation)

    def _convolve(self, frames: Tensor, *, activation: Activation) -> Tensor:
        weight, bias = self.conv.weight, self.conv.bias  # (C', C, k)
        if self.is_wide and is_float32_on_cpu(frames):
            windows = frames.unfold(1, self.kernel, self.stride)  # (B, T', C, k)
            windows = windows.transpose(2, 3).flatten(2)  # (B, T', k C)
            return product(windows, weight.transpose(1, 2).flatten(1), bias, activation=activation)
        convolved = convolve(frames, weight, bias, stride=self.stride)
        return activate(convolved, activation)


def convolve(
    frames: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    *,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
) -> Tensor:
    """Convolve frames (B, T, C) with a weight (C', C / groups, k) over time to (B, T', C').

    The channels lie next to each other. A convolution in one dimension would reorder them and
    back; one in two dimensions, of height 1, takes them as they are.
    """
    image = frames.transpose(1, 2)[:, :, None]  # (B, C, 1, T)
    convolved = F.conv2d(image, weight[:, :, None], bias, (1, stride), (0, padding), 1, groups)
    return convolved[:, :, 0].transpose(1, 2)
