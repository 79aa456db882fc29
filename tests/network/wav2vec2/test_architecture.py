from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from duovox.network.wav2vec2 import architecture
from duovox.network.wav2vec2.architecture import Architecture


def test_frames_of_known_lengths() -> None:
    base = architecture.base()
    lengths = {399: 0, 400: 1, 719: 1, 720: 2, 16_000: 49, 48_000: 149, 144_000: 449, 3: 0, 0: 0}
    counted = base.num_frames(torch.tensor(list(lengths)))
    assert counted.tolist() == list(lengths.values())
    assert [base.num_frames(samples) for samples in lengths] == list(lengths.values())


def test_frames_are_counted_as_convolutions_make_them() -> None:
    sizes = replace(
        architecture.base(), conv_kernels=(7, 4, 3, 3, 2, 2, 5), conv_paddings=(3, 1, 0, 1, 1, 0, 2)
    )
    channels = [
        nn.Conv1d(1, 1, kernel, stride, padding)
        for kernel, stride, padding in zip(
            sizes.conv_kernels, sizes.conv_strides, sizes.conv_paddings, strict=True
        )
    ]
    for num_samples in (sizes.receptive_field, 5000, 5321):
        made = nn.Sequential(*channels)(torch.zeros(1, 1, num_samples))
        assert sizes.num_frames(num_samples) == made.shape[-1]


def test_receptive_field_is_the_shortest_wave_with_a_frame() -> None:
    assert architecture.base().receptive_field == 400


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"conv_channels": (8, 8)}, "must name the same layers"),
        ({"conv_strides": (5, 2, 2, 0, 2, 2, 2)}, "^conv_strides must be at least 1 each, got "),
        ({"conv_paddings": (0, 0)}, "must name the same layers"),
        ({"conv_paddings": (-1, 0, 0, 0, 0, 0, 0)}, "^conv_paddings must be at least 0 each, got "),
        ({"conv_activation": "relu"}, "^conv_activation must be 'gelu' or 'gelu_tanh', got 'relu'"),
        ({"conv_norm": "batch"}, "conv_norm must be 'group' or 'layer'"),
        ({"norm_epsilon": 0.0}, "^norm_epsilon must be above 0, got 0"),
        ({"num_heads": 7}, "multiple of num_heads"),
        ({"position_groups": 5}, "multiple of position_groups"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(architecture.tiny(), **change)


@pytest.mark.parametrize(
    "name", ["width", "num_layers", "num_heads", "feed_forward_width", "position_kernel"]
)
def test_no_size_is_below_one(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        replace(architecture.base(), **{name: 0})


def test_presets_differ_in_size_only() -> None:
    presets = [architecture.base(), architecture.large(), architecture.tiny()]
    assert all(isinstance(preset, Architecture) for preset in presets)
    assert all(preset.num_frames(16_000) == 49 for preset in presets)
