"""The first layer of the feature encoder: from the samples of a wave to the first frames.

With one input channel the convolution is a matrix product: every window of 10 samples times the
weight. Both kinds of norm have `fold`, which looks at all windows of a batch and returns the
weight and the bias of this product, and `forward`, which may then see the windows piece by piece.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from duovox.network.wav2vec2.product import Activation, activate, product


class GroupNormWaveLayer(nn.Module):
    """Convolve, normalise each channel over the frames of an utterance, and apply GELU.

    A convolution is linear, so the mean and the variance of its output follow from the mean and
    the covariance of the windows, a matrix of 10 x 10: the norm folds into the weight, one weight
    per utterance, and nothing of size (B, T, C) is made for it. The covariance of speech is
    ill-conditioned, so it is taken in float64, which costs little for so small a matrix.

    The convolution has no bias: the norm would take it away again.
    """

    def __init__(
        self, num_channels: int, kernel: int, *, epsilon: float, activation: Activation = "gelu"
    ) -> None:
        super().__init__()
        self.activation: Activation = activation
        self.conv = nn.Linear(kernel, num_channels, bias=False)
        self.norm = nn.GroupNorm(num_channels, num_channels, eps=epsilon)  # holds the parameters
        nn.init.kaiming_normal_(self.conv.weight)

    def fold(self, windows: Tensor, is_counted: Tensor) -> tuple[Tensor, Tensor]:
        """Return a weight (B, C, k) and a bias (B, C) that convolve and normalise.

        The statistics count the windows (B, T, k) where is_counted (B, T) is True.
        """
        with torch.autocast(windows.device.type, enabled=False):
            exact = (
                torch.float32 if windows.device.type == "mps" else torch.float64
            )  # Apple has none
            weight, windows = self.conv.weight.to(exact), windows.to(exact)
            count = is_counted.sum(dim=1).clamp(min=1)[:, None]  # (B, 1)
            window_mean = (windows * is_counted[..., None]).sum(dim=1) / count  # (B, k)
            centred = (windows - window_mean[:, None]) * is_counted[..., None]
            covariance = centred.transpose(1, 2) @ centred / count[..., None]  # (B, k, k)
            variance = ((weight @ covariance) * weight).sum(dim=-1)  # (B, C)
            scale = self.norm.weight * torch.rsqrt(variance + self.norm.eps)
            bias = self.norm.bias - (window_mean @ weight.T) * scale
            dtype = self.conv.weight.dtype
            return (weight * scale[..., None]).to(dtype), bias.to(dtype)

    def forward(self, windows: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """Return (B, T, C) of windows (B, T, k)."""
        windows = windows.to(weight.dtype)
        convolved = torch.baddbmm(bias[:, None], windows, weight.transpose(1, 2))
        return activate(convolved, self.activation)


class LayerNormWaveLayer(nn.Module):
    """Convolve, normalise each frame over its channels, and apply GELU."""

    def __init__(
        self,
        num_channels: int,
        kernel: int,
        *,
        bias: bool,
        epsilon: float,
        activation: Activation = "gelu",
    ) -> None:
        super().__init__()
        self.activation: Activation = activation
        self.conv = nn.Linear(kernel, num_channels, bias=bias)
        self.norm = nn.LayerNorm(num_channels, eps=epsilon)
        nn.init.kaiming_normal_(self.conv.weight)

    def fold(self, windows: Tensor, is_counted: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the convolution's own weight (C, k) and bias (C,): each frame stands alone."""
        return self.conv.weight, self.conv.bias

    def forward(self, windows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Return (B, T, C) of windows (B, T, k)."""
        normalised: Tensor = self.norm(product(windows.to(weight.dtype), weight, bias))
        return activate(normalised, self.activation)
