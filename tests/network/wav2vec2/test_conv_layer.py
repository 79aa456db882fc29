from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from duovox.network.wav2vec2.conv_layer import WIDE_CHANNELS, ConvLayer, convolve


@pytest.mark.parametrize("is_inference", [True, False], ids=["inference", "training"])
@pytest.mark.parametrize("norm_epsilon", [None, 1e-5], ids=["no norm", "layer norm"])
@pytest.mark.parametrize("width", [6, WIDE_CHANNELS], ids=["narrow", "wide"])
@pytest.mark.parametrize("kernel", [2, 3, 5])
def test_a_layer_agrees_with_torchs_convolution(
    width: int, kernel: int, norm_epsilon: float | None, is_inference: bool
) -> None:
    layer = ConvLayer(width, 8, kernel, 2, bias=True, norm_epsilon=norm_epsilon)
    frames = torch.randn(2, 21, width)
    expected = layer.conv(frames.transpose(1, 2)).transpose(1, 2)
    if norm_epsilon is not None:
        expected = F.layer_norm(expected, (8,), layer.norm.weight, layer.norm.bias, norm_epsilon)
    with torch.inference_mode(is_inference):
        torch.testing.assert_close(layer(frames), F.gelu(expected), atol=1e-5, rtol=1e-5)


def test_convolve_takes_every_argument_of_a_convolution() -> None:
    frames, weight, bias = torch.randn(2, 9, 6), torch.randn(4, 3, 3), torch.randn(4)
    arguments = {"stride": 2, "padding": 1, "groups": 2}
    expected = F.conv1d(frames.transpose(1, 2), weight, bias, **arguments).transpose(1, 2)
    found = convolve(frames, weight, bias, **arguments)
    torch.testing.assert_close(found, expected)
    assert found.is_contiguous()
