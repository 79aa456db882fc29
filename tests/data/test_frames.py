"""Frames are counted as the network makes them, whatever its convolutions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from duovox.data.frames import MIN_SAMPLES, WAV2VEC2
from duovox.network.wav2vec2.architecture import Architecture, base, tiny
from duovox.network.wav2vec2.feature_encoder import FeatureEncoder
from duovox.run.frames import frames_of

ARCHITECTURES = {
    "published": tiny(),
    "a frame in 40 ms": replace(
        tiny(), conv_kernels=(10, 3, 3, 3, 3, 2, 4), conv_strides=(5, 2, 2, 2, 2, 2, 4)
    ),
    "padded": replace(tiny(), conv_paddings=(4, 1, 1, 1, 1, 0, 0)),
}


def test_the_published_networks_are_the_default() -> None:
    assert frames_of(base()) == WAV2VEC2
    assert MIN_SAMPLES == 400


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_as_many_frames_are_counted_as_made(architecture: Architecture) -> None:
    frames, encoder = frames_of(architecture), FeatureEncoder(architecture, length_aware=True)
    least = frames.min_samples
    assert least == architecture.receptive_field
    for num_samples in (least, least + 1, 5_000, 16_000, 16_321):
        waves = torch.randn(1, num_samples)
        made = encoder(waves, torch.tensor([num_samples])).shape[1]
        assert frames.count(np.array([num_samples])).tolist() == [made]
    if not any(architecture.conv_paddings):
        assert frames.count(np.array([0, least - 1])).tolist() == [0, 0]
