"""Small backbones and a padded batch of noise."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture

SMALL_BASE = Architecture(
    conv_channels=(8, 12, 12, 12, 16, 16, 16),
    conv_bias=False,
    conv_norm="group",
    width=32,
    num_layers=2,
    num_heads=4,
    feed_forward_width=64,
    position_kernel=16,
    position_groups=4,
    pre_norm=False,
)
SMALL_LARGE = Architecture(
    conv_channels=(8, 12, 12, 12, 16, 16, 16),
    conv_bias=True,
    conv_norm="layer",
    width=32,
    num_layers=2,
    num_heads=4,
    feed_forward_width=64,
    position_kernel=15,
    position_groups=4,
    pre_norm=True,
)
SMALL_PADDED = replace(
    SMALL_BASE,
    conv_paddings=(3, 1, 1, 1, 1, 0, 0),
    conv_activation="gelu_tanh",
    feed_forward_activation="gelu_tanh",
)


SMALL = {"base": SMALL_BASE, "large": SMALL_LARGE, "padded": SMALL_PADDED}


@pytest.fixture(params=["base", "large"])  # tests that count no frames ask for "padded" as well
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return SMALL[request.param]


@pytest.fixture
def num_samples() -> Tensor:
    return torch.tensor([8000, 5000, 400])  # 24, 15 and 1 frames


@pytest.fixture
def waves(num_samples: Tensor) -> Tensor:
    waves = torch.randn(3, 8000, generator=torch.Generator().manual_seed(1))
    return waves * (torch.arange(8000) < num_samples[:, None])
