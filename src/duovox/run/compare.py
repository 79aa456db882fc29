"""Hold a network against another on audio that is always the same."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn

from duovox.batch import SAMPLE_RATE
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.rebuild import rebuild
from duovox.network.wav2vec2.format import own
from duovox.network.wav2vec2.format.checkpoint import Checkpoint
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from duovox.run.weights import load_network


def largest_differences(
    source: str | Path, before: Checkpoint, after: Checkpoint
) -> dict[str, float]:
    """Return the largest absolute difference of each output on fixed audio.

    Args:
        source: where `before` was read. A run is rebuilt as it is, for what its network does with
            speech, and what a checkpoint leaves out of it, count as well.
    """
    is_run = Path(source).is_dir() and (Path(source) / own.CARD).is_file()
    network = load_network(Path(source))[0] if is_run and before.has_head else rebuild(before)
    expected, found = outputs(network), outputs(rebuild(after))
    differences = {}
    for name, theirs in found.items():
        length = min(len(theirs), len(expected[name]))  # a padded convolution makes more frames
        difference = (theirs[:length] - expected[name][:length]).abs().max()
        differences[name] = difference.item()
    return differences


@torch.inference_mode()
def outputs(network: nn.Module) -> dict[str, Tensor]:
    """Return what a network makes of the fixed audio, frame by frame."""
    waves, num_samples = fixed_wave()[None], torch.tensor([SAMPLE_RATE])
    if isinstance(network, PretrainingNetwork):
        num_frames = int(network.backbone.architecture.num_frames(num_samples))
        mask = torch.arange(num_frames)[None] % 2 == 0
        output = network(waves, num_samples, mask, num_masked=int(mask.sum()))
        return {"contexts": output.contexts, "targets": output.targets}
    if isinstance(network, SpeechSpeakerNetwork):
        heard = network(waves, num_samples, task="speech")
        return {"token logits": heard.token_logits[0]}
    return {"frames": network(waves, num_samples).frames[0]}


def fixed_wave() -> Tensor:
    """Return one second (16000,): a tone that rises from 100 to 3100 Hz, and some noise."""
    times = torch.arange(SAMPLE_RATE) / SAMPLE_RATE
    noise = torch.randn(SAMPLE_RATE, generator=torch.Generator().manual_seed(0))
    return 0.1 * torch.sin(2 * math.pi * (100 * times + 1500 * times**2)) + 0.01 * noise
