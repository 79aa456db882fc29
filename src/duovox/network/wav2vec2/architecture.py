"""The sizes of a wav2vec 2.0 network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from torch import Tensor

ConvNorm = Literal["group", "layer"]
Gelu = Literal["gelu", "gelu_tanh"]  # exact, or approximated with tanh
_CONV = {"conv_channels": 1, "conv_kernels": 1, "conv_strides": 1, "conv_paddings": 0}  # least each
_POSITION = ("position_kernel", "position_groups")
Count = TypeVar("Count", int, Tensor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """Everything that decides the shape of the parameters and the order of the operations."""

    conv_channels: tuple[int, ...]
    conv_kernels: tuple[int, ...] = (10, 3, 3, 3, 3, 2, 2)
    conv_strides: tuple[int, ...] = (5, 2, 2, 2, 2, 2, 2)  # product 320 samples: the hop, 20 ms
    conv_paddings: tuple[int, ...] = (0, 0, 0, 0, 0, 0, 0)  # zeros at both ends of each input
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
    conv_activation: Gelu = "gelu"  # of the feature encoder and the positions
    feed_forward_activation: Gelu = "gelu"

    def __post_init__(self) -> None:
        self._check_convolutions()
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
        for name in ("conv_activation", "feed_forward_activation"):
            if getattr(self, name) not in get_args(Gelu):
                raise ValueError(
                    f"{name} must be 'gelu' or 'gelu_tanh', got {getattr(self, name)!r}"
                )

    def _check_convolutions(self) -> None:
        found = [getattr(self, name) for name in _CONV]
        if len({len(sizes) for sizes in found}) != 1 or not self.conv_channels:
            raise ValueError(
                f"{', '.join(_CONV)} must name the same layers, got {', '.join(map(str, found))}"
            )
        for name, least in _CONV.items():
            if min(getattr(self, name)) < least:
                raise ValueError(f"{name} must be at least {least} each, got {getattr(self, name)}")
        if self.conv_norm not in get_args(ConvNorm):
            raise ValueError(f"conv_norm must be 'group' or 'layer', got {self.conv_norm!r}")

    @property
    def hop(self) -> int:
        """Samples between one frame and the next."""
        return math.prod(self.conv_strides)

    @property
    def receptive_field(self) -> int:
        """Samples that one frame sees; a shorter wave has no frame that sees it alone."""
        samples = 1
        for kernel, stride in zip(
            reversed(self.conv_kernels), reversed(self.conv_strides), strict=True
        ):
            samples = (samples - 1) * stride + kernel
        return samples

    def num_frames(self, num_samples: Count) -> Count:
        """Return how many frames waves of num_samples have (one number, or a tensor of them)."""
        count = self.frame_counts(num_samples)[-1]
        return max(count, 0) if isinstance(count, int) else count.clamp(min=0)

    def frame_counts(self, num_samples: Count) -> list[Count]:
        """Return how many frames each convolution makes of waves of num_samples."""
        counts = [num_samples]
        for kernel, stride, padding in zip(
            self.conv_kernels, self.conv_strides, self.conv_paddings, strict=True
        ):
            counts.append((counts[-1] + 2 * padding - kernel) // stride + 1)
        return counts[1:]


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
