"""Floating-point operations of the backbone, from its sizes: a cost that no machine changes."""

from __future__ import annotations

from torch import Tensor

from duovox.network.wav2vec2.architecture import Architecture


def feature_encoder_flops(architecture: Architecture, num_samples: Tensor) -> Tensor:
    """Return (B,) operations of the convolutions, forward, for waves of num_samples (B,) samples.

    A multiplication and an addition count as two. Norms and activations are left out, as usual.
    """
    channels = (1, *architecture.conv_channels)
    flops = num_samples * 0
    for layer, num_frames in enumerate(architecture.frame_counts(num_samples)):
        kernel_size = architecture.conv_kernels[layer] * channels[layer] * channels[layer + 1]
        flops = flops + 2 * kernel_size * num_frames.clamp(min=0)
    return flops


def transformer_flops(
    architecture: Architecture, num_samples: Tensor, *, num_layers: int
) -> Tensor:
    """Return (B,) operations of projection, positions and transformer layers, forward.

    Attention grows with the square of an utterance's frames; all else by frame.
    """
    width, groups = architecture.width, architecture.position_groups
    num_frames = architecture.num_frames(num_samples)
    projection = architecture.conv_channels[-1] * width
    positions = architecture.position_kernel * width * (width // groups)
    layer = 4 * width * width + 2 * width * architecture.feed_forward_width
    attention = 2 * num_frames * width  # queries with keys, weights with values
    return 2 * num_frames * (projection + positions + num_layers * (layer + attention))
