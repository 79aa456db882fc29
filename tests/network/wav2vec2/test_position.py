from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import weight_norm

from duovox.network.wav2vec2.position import PositionalConv


@pytest.mark.parametrize("kernel", [16, 15])
def test_positions_agree_with_a_weight_normalised_convolution_of_torch(kernel: int) -> None:
    ours = PositionalConv(24, kernel, 4)
    nn.init.normal_(ours.magnitude)
    nn.init.normal_(ours.bias)
    theirs = weight_norm(nn.Conv1d(24, 24, kernel, padding=kernel // 2, groups=4), dim=2)
    theirs.parametrizations.weight.original0.data = ours.magnitude.data.clone()
    theirs.parametrizations.weight.original1.data = ours.direction.data.clone()
    theirs.bias.data = ours.bias.data.clone()
    frames = torch.randn(2, 20, 24)
    expected = F.gelu(theirs(frames.transpose(1, 2))[..., :20]).transpose(1, 2)
    found = ours(frames)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    found.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(
        ours.direction.grad, theirs.parametrizations.weight.original1.grad, atol=1e-4, rtol=1e-4
    )


def test_a_new_weight_has_the_published_deviation() -> None:
    weight = PositionalConv(256, 64, 4).direction
    assert weight.std().item() == pytest.approx((4 / (64 * 256)) ** 0.5, rel=0.02)
