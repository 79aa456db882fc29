"""Positions from a convolution over the neighbouring frames."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from duovox.network.wav2vec2.conv_layer import convolve
from duovox.network.wav2vec2.product import Activation, activate


class PositionalConv(nn.Module):
    """Tell each frame where it is by a wide grouped convolution with a normalised weight.

    Source: Mohamed et al. 2019 (convolutional positions), Salimans and Kingma 2016 (weight norm,
    here with one magnitude per tap of the kernel).
    """

    def __init__(
        self, width: int, kernel: int, groups: int, *, activation: Activation = "gelu"
    ) -> None:
        super().__init__()
        self.activation: Activation = activation
        self.kernel, self.groups = kernel, groups
        self.direction = nn.Parameter(torch.empty(width, width // groups, kernel))
        nn.init.normal_(self.direction, std=2 / math.sqrt(kernel * width))
        self.magnitude = nn.Parameter(_norm_per_tap(self.direction.detach()))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, frames: Tensor) -> Tensor:
        """Return the positions (B, T, D) of frames (B, T, D), whose padding must be zero."""
        weight = self.direction * (self.magnitude / _norm_per_tap(self.direction))
        positions = convolve(
            frames, weight, self.bias, padding=self.kernel // 2, groups=self.groups
        )
        positions = positions[:, : frames.shape[1]]  # an even kernel makes one more
        return activate(positions, self.activation)


def _norm_per_tap(direction: Tensor) -> Tensor:
    squares = direction.square().sum(dim=(0, 1), keepdim=True)  # torch's norm takes 3 times as long
    return squares.sqrt()  # (1, 1, kernel)
