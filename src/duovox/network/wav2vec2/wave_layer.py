"""The first layer of the feature encoder: from the samples of a wave to the first frames.

With one input channel the convolution is a matrix product: every window of 10 samples times the
weight. Both kinds of norm take the windows (B, T, k) and return (B, T, C).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class GroupNormWaveLayer(nn.Module):
    """Convolve, normalise each channel over the frames of an utterance, and apply GELU.

    A convolution is linear, so the mean and the variance of its output follow from the mean and
    the covariance of the windows, a matrix of 10 x 10: the norm folds into the weight, one weight
    per utterance, and nothing of size (B, T, C) is made for it. The covariance of speech is
    ill-conditioned, so it is taken in float64, which costs little for so small a matrix.

    The convolution has no bias: the norm would take it away again.
    """

    def __init__(self, num_channels: int, kernel: int, *, epsilon: float) -> None:
        super().__init__()
        self.conv = nn.Linear(kernel, num_channels, bias=False)
        self.norm = nn.GroupNorm(num_channels, num_channels, eps=epsilon)  # holds the parameters
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, windows: Tensor, is_counted: Tensor) -> Tensor:
        """Return (B, T, C); the statistics count the windows where is_counted (B, T) is True."""
        with torch.autocast(windows.device.type, enabled=False):
            scale, shift = self._scale_and_shift(windows.double(), is_counted)  # (B, C) each
            weight = self.conv.weight * scale[..., None]  # (B, C, k)
        return F.gelu(torch.baddbmm(shift[:, None], windows, weight.transpose(1, 2)))

    def _scale_and_shift(self, windows: Tensor, is_counted: Tensor) -> tuple[Tensor, Tensor]:
        weight = self.conv.weight.double()
        count = is_counted.sum(dim=1).clamp(min=1)[:, None]  # (B, 1)
        window_mean = (windows * is_counted[..., None]).sum(dim=1) / count  # (B, k)
        centred = (windows - window_mean[:, None]) * is_counted[..., None]
        covariance = centred.transpose(1, 2) @ centred / count[..., None]  # (B, k, k)
        variance = ((weight @ covariance) * weight).sum(dim=-1)  # (B, C)
        scale = self.norm.weight * torch.rsqrt(variance + self.norm.eps)
        shift = self.norm.bias - (window_mean @ weight.T) * scale
        return scale.float(), shift.float()


class LayerNormWaveLayer(nn.Module):
    """Convolve, normalise each frame over its channels, and apply GELU."""

    def __init__(self, num_channels: int, kernel: int, *, bias: bool, epsilon: float) -> None:
        super().__init__()
        self.conv = nn.Linear(kernel, num_channels, bias=bias)
        self.norm = nn.LayerNorm(num_channels, eps=epsilon)
        nn.init.kaiming_normal_(self.conv.weight)

    def forward(self, windows: Tensor, is_counted: Tensor) -> Tensor:
        """Return (B, T, C); each frame stands alone, so it does not matter which are counted."""
        normalised: Tensor = self.norm(self.conv(windows))
        return F.gelu(normalised)
