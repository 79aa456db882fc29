"""How many frames the network of a run makes of a wave, before the network is built."""

from __future__ import annotations

from duovox.data.frames import Frames
from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.architecture import Architecture
from duovox.run.option import ARCHITECTURES, make
from duovox.run.settings import Network


def frames_of(architecture: Architecture) -> Frames:
    """Return what decides the number of frames."""
    return Frames(
        kernels=architecture.conv_kernels,
        strides=architecture.conv_strides,
        paddings=architecture.conv_paddings,
    )


def frames_of_settings(network: Network) -> Frames:
    """Return the same of the settings: of their architecture, or of the checkpoint in its place.

    Raises:
        ValueError: the architecture or the checkpoint can't be used.
    """
    if network.wav2vec_checkpoint is not None:
        return frames_of(pretrained.architecture_of(network.wav2vec_checkpoint))
    made = make(network.architecture, path="network.architecture", within=ARCHITECTURES)
    return frames_of(made)
