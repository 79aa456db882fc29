"""Operations counted from the sizes equal those that torch counts in the products it runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from duovox.network.wav2vec2.architecture import Architecture, tiny
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.flops import feature_encoder_flops, transformer_flops

ARCHITECTURES = {
    "tiny": tiny(),
    "another hop": replace(
        tiny(), conv_kernels=(10, 3, 3, 3, 3, 2, 4), conv_strides=(5, 2, 2, 2, 2, 2, 4)
    ),
    "norms after, layer norm in the convolutions": replace(
        tiny(), pre_norm=False, conv_norm="layer", num_layers=2, position_kernel=31
    ),
}


def counted(architecture: Architecture, num_samples: int) -> float:
    """Return what torch counts in a forward pass, attention as two products."""
    backbone = Wav2Vec2Backbone(architecture)
    with FlopCounterMode(display=False) as counter, _attention_as_products():
        backbone(torch.randn(1, num_samples), torch.tensor([num_samples]))
    return counter.get_total_flops()


def _attention_as_products() -> torch.nn.attention.sdpa_kernel:
    return torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH)


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
@pytest.mark.parametrize("num_samples", [16_000, 50_001])
def test_operations_are_those_that_torch_counts(architecture: Architecture, num_samples) -> None:
    one = torch.tensor([num_samples])
    features = feature_encoder_flops(architecture, one)
    rest = transformer_flops(architecture, one, num_layers=architecture.num_layers)
    # The norm of the first convolution looks at the covariance of the windows, which is left out;
    # an even kernel of the positions makes a frame more than is used.
    assert float(features + rest) == pytest.approx(counted(architecture, num_samples), rel=0.02)


def test_operations_of_a_batch_are_those_of_its_utterances() -> None:
    several, both = torch.tensor([16_000, 40_000]), tiny()
    alone = [transformer_flops(both, several[i : i + 1], num_layers=4) for i in (0, 1)]
    assert transformer_flops(both, several, num_layers=4).tolist() == [int(one) for one in alone]
    assert feature_encoder_flops(both, torch.tensor([100])).item() >= 0  # too short for a frame
