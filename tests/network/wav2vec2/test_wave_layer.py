from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from duovox.network.wav2vec2.wave_layer import GroupNormWaveLayer, LayerNormWaveLayer

KERNEL, STRIDE = 10, 5


def _windows(waves: Tensor) -> Tensor:
    return waves.unfold(1, KERNEL, STRIDE)


def _run(layer: nn.Module, windows: Tensor, num_counted: int | None = None) -> Tensor:
    is_counted = torch.arange(windows.shape[1]) < (num_counted or windows.shape[1])
    return layer(windows, *layer.fold(windows, is_counted.expand(len(windows), -1)))


def _speechlike(num_samples: int, batch_size: int = 2) -> Tensor:
    """Noise whose high frequencies are 60 dB below the low ones, with an offset: hard to divide."""
    rough = torch.randn(batch_size, num_samples)
    smooth = F.avg_pool1d(rough[:, None], 65, stride=1, padding=32)[:, 0]
    return 0.3 + smooth + 1e-3 * rough


def _group_norm_layer() -> GroupNormWaveLayer:
    layer = GroupNormWaveLayer(16, KERNEL, epsilon=1e-5)
    torch.nn.init.normal_(layer.norm.weight)
    torch.nn.init.normal_(layer.norm.bias)
    return layer


def _reference(layer: GroupNormWaveLayer, waves: Tensor) -> Tensor:
    weight = layer.conv.weight.double()[:, None]
    convolved = F.conv1d(waves[:, None].double(), weight, stride=STRIDE)
    normalised = F.group_norm(
        convolved, 16, layer.norm.weight.double(), layer.norm.bias.double(), layer.norm.eps
    )
    return F.gelu(normalised).transpose(1, 2)


def test_group_norm_layer_agrees_with_convolution_and_group_norm_of_torch() -> None:
    layer, waves = _group_norm_layer(), _speechlike(1605)
    windows = _windows(waves)
    frames = _run(layer, windows)
    torch.testing.assert_close(frames.double(), _reference(layer, waves), atol=2e-5, rtol=1e-5)


def test_gradients_of_the_group_norm_layer_agree_with_torch() -> None:
    layer, waves = _group_norm_layer(), _speechlike(1605)
    windows = _windows(waves)
    target = torch.randn(2, windows.shape[1], 16)
    frames = _run(layer, windows)
    parameters = list(layer.parameters())
    ours = torch.autograd.grad((frames * target).sum(), parameters)
    theirs = torch.autograd.grad((_reference(layer, waves) * target).sum(), parameters)
    for mine, reference in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, reference, atol=1e-3, rtol=1e-4)


def test_uncounted_windows_touch_neither_frames_nor_gradients() -> None:
    layer, waves = _group_norm_layer(), torch.randn(1, 1605)
    windows = _windows(waves)  # 320 of them
    padded = _run(layer, windows, num_counted=200)[:, :200]
    alone = _run(layer, windows[:, :200])
    torch.testing.assert_close(padded, alone)
    parameters = list(layer.parameters())
    for mine, reference in zip(
        torch.autograd.grad(padded.square().sum(), parameters),
        torch.autograd.grad(alone.square().sum(), parameters),
        strict=True,
    ):
        torch.testing.assert_close(mine, reference, atol=1e-3, rtol=1e-4)


def test_a_single_window_and_silence_are_finite() -> None:
    layer = _group_norm_layer()
    for windows in (torch.randn(1, 1, KERNEL), torch.zeros(1, 30, KERNEL)):
        frames = _run(layer, windows)
        gradients = torch.autograd.grad(frames.sum(), list(layer.parameters()))
        assert all(tensor.isfinite().all() for tensor in (frames, *gradients))


def test_layer_norm_layer_agrees_with_convolution_and_layer_norm_of_torch() -> None:
    layer, waves = LayerNormWaveLayer(16, KERNEL, bias=True, epsilon=1e-5), _speechlike(1605)
    windows = _windows(waves)
    convolved = F.conv1d(waves[:, None], layer.conv.weight[:, None], layer.conv.bias, STRIDE)
    reference = F.gelu(F.layer_norm(convolved.transpose(1, 2), (16,)))
    frames = _run(layer, windows)
    torch.testing.assert_close(frames, reference, atol=1e-5, rtol=1e-5)
