"""The sizes of a wav2vec 2.0 network."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args

from torch import Tensor

ConvNorm = Literal["group", "layer"]
_CONV = ("conv_channels", "conv_kernels", "conv_strides")
_POSITION = ("position_kernel", "position_groups")
Count = TypeVar("Count", int, Tensor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Everything that decides the shape of the parameters and the order of the operations."""

    conv_channels: tuple[int, ...]
    conv_kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)  # product 320 samples: the hop, 20 ms
    conv_bias: bool
    conv_norm: ConvNorm  # "group": after the first convolution only; "layer": after each
    width: int  # D
    num_layers: int
    num_heads: int
    feed_forward_width: int
    position_kernel: int = 128
    position_groups: int = 16
    pre_norm: bool  # True: norms inside the residual branches and one at the end ("stable")
    norm_epsilon: float = 1e-5

    def __post_init__(self) -> None:
        layers = {len(self.conv_channels), len(self.conv_kernels), len(self.conv_strides)}
        if len(layers) != 1 or 0 in layers:
            raise ValueError(
                "conv_channels, conv_kernels and conv_strides must name the same layers, got "
                f"{self.conv_channels}, {self.conv_kernels} and {self.conv_strides}"
            )
        for name in _CONV:
            if min(getattr(self, name)) < 1:
                raise ValueError(f"{name} must be at least 1 each, got {getattr(self, name)}")
        if self.conv_norm not in get_args(ConvNorm):
            raise ValueError(f"conv_norm must be 'group' or 'layer', got {self.conv_norm!r}")
        for name in ("width", "num_layers", "num_heads", "feed_forward_width", *_POSITION):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.norm_epsilon <= 0:
            raise ValueError(f"norm_epsilon must be above 0, got {self.norm_epsilon}")
        for name in ("num_heads", "position_groups"):
            if self.width % getattr(self, name):
                raise ValueError(
                    f"width must be a multiple of {name}, got width={self.width} and "
                    f"{name}={getattr(self, name)}"
                )

    @property
    def hop(self) -> int:
        """Samples between one frame and the next."""
        return math.prod(self.conv_strides)

    @property
    def receptive_field(self) -> int:
        """Samples that one frame sees; a shorter wave has no frame."""
        samples = 1
        for kernel, stride in zip(
            reversed(self.conv_kernels), reversed(self.conv_strides), strict=True
        ):
            samples = (samples - 1) * stride + kernel
        return samples

    def num_frames(self, num_samples: Count) -> Count:
        """Return how many frames waves of num_samples have (one number, or a tensor of them)."""
        count = num_samples
        for kernel, stride in zip(self.conv_kernels, self.conv_strides, strict=True):
            count = (count - kernel) // stride + 1
        return max(count, 0) if isinstance(count, int) else count.clamp(min=0)


def base() -> Architecture:
    """Return the published base network: 94 M parameters."""
    return Architecture(
        conv_channels=(512,) * 7,
        conv_bias=False,
        conv_norm="group",
        width=768,
        num_layers=12,
        num_heads=12,
        feed_forward_width=3072,
        pre_norm=False,
    )


def large() -> Architecture:
    """Return the published large network (60,000 h and XLS-R models): 315 M parameters."""
    return Architecture(
        conv_channels=(512,) * 7,
        conv_bias=True,
        conv_norm="layer",
        width=1024,
        num_layers=24,
        num_heads=16,
        feed_forward_width=4096,
        pre_norm=True,
    )


def tiny() -> Architecture:
    """Return a network of 2 M parameters that two processor cores train in minutes.

    The early convolutions run at up to 3,200 steps per second, so they are narrow. From random
    weights, norms inside the residual branches learn sooner than norms behind them.
    """
    return Architecture(
        conv_channels=(32, 32, 64, 64, 128, 128, 128),
        conv_bias=False,
        conv_norm="group",
        width=192,
        num_layers=4,
        num_heads=4,
        feed_forward_width=768,
        position_kernel=32,
        position_groups=16,
        pre_norm=True,
    )


def from_huggingface(config: Mapping[str, Any]) -> Architecture:
    """Read the dictionary of a Hugging Face `config.json`; an absent key means its default there.

    Raises:
        ValueError: the configuration asks for something this backbone does not have.
    """
    _check_supported(config)
    return Architecture(
        conv_channels=tuple(config.get("conv_dim", (512,) * 7)),
        conv_kernels=tuple(config.get("conv_kernel", (10, 3, 3, 3, 3, 2, 2))),
        conv_strides=tuple(config.get("conv_stride", (5, 2, 2, 2, 2, 2, 2))),
        conv_bias=config.get("conv_bias", False),
        conv_norm=config.get("feat_extract_norm", "group"),
        width=config.get("hidden_size", 768),
        num_layers=config.get("num_hidden_layers", 12),
        num_heads=config.get("num_attention_heads", 12),
        feed_forward_width=config.get("intermediate_size", 3072),
        position_kernel=config.get("num_conv_pos_embeddings", 128),
        position_groups=config.get("num_conv_pos_embedding_groups", 16),
        pre_norm=config.get("do_stable_layer_norm", False),
        norm_epsilon=config.get("layer_norm_eps", 1e-5),
    )


def _check_supported(config: Mapping[str, Any]) -> None:
    supported = {
        "model_type": "wav2vec2",
        "feat_extract_activation": "gelu",
        "hidden_act": "gelu",
        "add_adapter": False,
        "adapter_attn_dim": None,
    }
    for key, value in supported.items():
        if config.get(key, value) != value:
            raise ValueError(
                f"config.json: {key} must be {value!r} for this backbone, got {config[key]!r}"
            )
