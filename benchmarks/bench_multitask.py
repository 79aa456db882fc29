"""C13: a step for words and speakers, against transformers' Wav2Vec2Model with the same heads.

(i) 4 x 10 s with words and 8 x 3 s with speakers. Ours hears two batches; the peer hears all twelve
padded to 10 s: 120 s instead of 64 s, so 1.88x is what the padding alone costs. (ii) 4 x 10 s
with both labels. Ours hears them once for both tasks; the peer has a model for each task.

A step is forward and backward in float32, with the convolutions frozen as in the experiments, and
without dropouts. Width and heads are those of wav2vec 2.0 base, with fewer layers by default: the
comparison is one of audio heard, and their number hardly matters to it.

Both sides have the same weights, heads and losses, and the losses are compared first: utterance
lengths alone, and both labels. In (i) the peer's own loss is another one, as its group norm hears
padding too; how far it is off is printed.

Run: .venv/bin/python benchmarks/bench_multitask.py
All of base: ... --layers 12
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor, nn
from transformers import Wav2Vec2Config, Wav2Vec2Model
from transformers.utils import logging

from duovox.batch import JointBatch, NetworkOutput, SpeakerBatch, SpeechBatch
from duovox.loss.aam_softmax import AamSoftmaxLoss
from duovox.loss.ctc import CtcLoss
from duovox.network.assemble import SpeechSpeakerNetwork
from duovox.network.head.cosine import CosineHead
from duovox.network.head.ctc import CtcHead
from duovox.network.pooling.mean import MeanPooling
from duovox.network.wav2vec2 import architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import huggingface
from duovox.task.speaker import SpeakerTask
from duovox.task.speech import SpeechTask
from side_by_side import compare, print_header, print_row, print_versions

NUM_THREADS, NUM_LAYERS, ROUNDS = 2, 4, 5
SAMPLE_RATE, NUM_SPEAKERS, NUM_SYMBOLS, SYMBOLS_PER_SECOND = 16_000, 5_994, 32, 15
QUIET = ("activation", "attention", "feat_proj", "final", "hidden")
SPEECH = SpeechTask(ctc=CtcLoss(), decode=lambda logits, _: [""] * len(logits), vocabulary=())
SPEAKER = SpeakerTask(classification=AamSoftmaxLoss())
Losses = Callable[[], tuple[Tensor, ...]]  # of words, of speakers, or of both


class Peer(nn.Module):
    """transformers' backbone under heads of ours."""

    def __init__(self, backbone: Wav2Vec2Model, ours: SpeechSpeakerNetwork) -> None:
        super().__init__()
        self.backbone = backbone
        self.speech_head = deepcopy(ours.speech_head)
        self.pooling = deepcopy(ours.pooling)
        self.speaker_head = deepcopy(ours.speaker_head)

    def frames(self, waves: Tensor, num_samples: Tensor) -> Tensor:
        """Return (B, T, D), without a mask where there is no padding to hide."""
        if bool((num_samples == waves.shape[1]).all()):
            return self.backbone(waves).last_hidden_state
        mask = torch.arange(waves.shape[1], device=waves.device) < num_samples[:, None]
        return self.backbone(waves, attention_mask=mask).last_hidden_state

    def speech_loss(self, batch: SpeechBatch, frames: Tensor, num_frames: Tensor) -> Tensor:
        logits = self.speech_head(frames)
        output = NetworkOutput(frames=frames, num_frames=num_frames, token_logits=logits)
        return SPEECH.loss(output, batch)

    def speaker_loss(self, batch: SpeakerBatch, frames: Tensor, num_frames: Tensor) -> Tensor:
        logits = self.speaker_head(self.pooling(frames, num_frames))
        output = NetworkOutput(frames=frames, num_frames=num_frames, speaker_logits=logits)
        return SPEAKER.loss(output, batch)


def make_both(num_layers: int) -> tuple[SpeechSpeakerNetwork, Peer]:
    torch.manual_seed(0)
    options = {f"{name}_dropout": 0.0 for name in QUIET} | {"layerdrop": 0.0}
    config = Wav2Vec2Config(num_hidden_layers=num_layers, apply_spec_augment=False, **options)
    theirs = Wav2Vec2Model(config).train()
    theirs.freeze_feature_encoder()
    sizes = replace(architecture.base(), num_layers=num_layers)
    backbone = Wav2Vec2Backbone(sizes, freeze_feature_encoder=True)
    state = huggingface.translate(theirs.state_dict(), backbone.state_dict()).state
    backbone.load_state_dict(state)
    ours = SpeechSpeakerNetwork(
        backbone,
        speech_head=CtcHead(backbone.width, NUM_SYMBOLS),
        pooling=MeanPooling(backbone.width),
        speaker_head=CosineHead(backbone.width, NUM_SPEAKERS),
    )
    return ours, Peer(theirs, ours)


def draw_words(count: int, seconds: float) -> SpeechBatch:
    num_tokens = int(SYMBOLS_PER_SECOND * seconds)
    return SpeechBatch(
        keys=tuple(map(str, range(count))),
        waves=torch.randn(count, int(SAMPLE_RATE * seconds)),
        num_samples=torch.full((count,), int(SAMPLE_RATE * seconds)),
        tokens=torch.randint(1, NUM_SYMBOLS, (count, num_tokens)),
        num_tokens=torch.full((count,), num_tokens),
        transcripts=("",) * count,
    )


def draw_voices(count: int, seconds: float) -> SpeakerBatch:
    return SpeakerBatch(
        keys=tuple(map(str, range(count))),
        waves=torch.randn(count, int(SAMPLE_RATE * seconds)),
        num_samples=torch.full((count,), int(SAMPLE_RATE * seconds)),
        speaker_ids=torch.randint(NUM_SPEAKERS, (count,)),
    )


def our_losses(
    network: SpeechSpeakerNetwork, words: SpeechBatch, voices: SpeakerBatch
) -> tuple[Tensor, Tensor]:
    return SPEECH.forward(network, words)[1], SPEAKER.forward(network, voices)[1]


def our_joint_losses(network: SpeechSpeakerNetwork, batch: JointBatch) -> tuple[Tensor, Tensor]:
    words, voices = batch.by_task.values()
    output = network(words.waves, words.num_samples, task="both")
    return SPEECH.loss(output, words), SPEAKER.loss(output, voices)


def num_frames(num_samples: Tensor) -> Tensor:
    return architecture.base().num_frames(num_samples)


def their_losses(
    words_peer: Peer, voices_peer: Peer, words: SpeechBatch, voices: SpeakerBatch
) -> tuple[Tensor, Tensor]:
    """Hear each batch by itself, in one model or in two."""
    heard = words_peer.frames(words.waves, words.num_samples)
    seen = voices_peer.frames(voices.waves, voices.num_samples)
    return (
        words_peer.speech_loss(words, heard, num_frames(words.num_samples)),
        voices_peer.speaker_loss(voices, seen, num_frames(voices.num_samples)),
    )


def their_padded_losses(
    peer: Peer, words: SpeechBatch, voices: SpeakerBatch
) -> tuple[Tensor, Tensor]:
    """Hear both batches as one, as long as the longest utterance of all."""
    longest = max(words.waves.shape[1], voices.waves.shape[1])
    waves = torch.cat([_padded(words.waves, longest), _padded(voices.waves, longest)])
    num_samples = torch.cat([words.num_samples, voices.num_samples])
    frames, count = peer.frames(waves, num_samples), len(words)
    return (
        peer.speech_loss(words, frames[:count], num_frames(words.num_samples)),
        peer.speaker_loss(voices, frames[count:], num_frames(voices.num_samples)),
    )


def _padded(waves: Tensor, length: int) -> Tensor:
    return nn.functional.pad(waves, (0, length - waves.shape[1]))


def step(losses: Losses, *modules: nn.Module) -> None:
    """Go forward and backward, and forget the gradients."""
    torch.stack(losses()).sum().backward()
    for module in modules:
        module.zero_grad(set_to_none=True)


def check(
    name: str, ours: tuple[Tensor, Tensor], theirs: tuple[Tensor, Tensor], *, tolerance: float
) -> None:
    found, expected = ([loss.item() for loss in losses] for losses in (ours, theirs))
    print(
        f"{name}: losses of words and speakers: ours {found[0]:.4f} and {found[1]:.4f}, "
        f"transformers {expected[0]:.4f} and {expected[1]:.4f}"
    )
    for mine, other in zip(found, expected, strict=True):
        assert abs(mine - other) <= tolerance * other


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--layers", type=int, default=NUM_LAYERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    logging.disable_progress_bar()
    torch.set_num_threads(NUM_THREADS)
    print_versions("torch", "transformers")
    ours, peer = make_both(options.layers)
    words, voices = draw_words(4, 10), draw_voices(8, 3)
    joint = JointBatch(speech=words, speaker_ids=voices.speaker_ids[:4])
    both = words, joint.by_task["speaker"]
    with torch.no_grad():
        apart = their_losses(peer, peer, words, voices)
        check("batch by batch", our_losses(ours, words, voices), apart, tolerance=1e-4)
        shared = their_losses(peer, peer, *both)
        check("both labels", our_joint_losses(ours, joint), shared, tolerance=1e-4)
        off = their_padded_losses(peer, words, voices)[1] / apart[1] - 1
        print(f"padding moves the peer's speaker loss by {off.item():+.2%}")
    print_header()
    other = deepcopy(peer)  # of the other task
    for name, bar, mine, theirs in (
        (
            "C13 (i) two batches / padded to one",
            ">= 1.5x",
            partial(step, partial(our_losses, ours, words, voices), ours),
            partial(step, partial(their_padded_losses, peer, words, voices), peer),
        ),
        (
            "C13 (ii) joint batch / two models",
            ">= 1.9x",
            partial(step, partial(our_joint_losses, ours, joint), ours),
            partial(step, partial(their_losses, peer, other, *both), peer, other),
        ),
    ):
        print_row(
            f"{name}, {options.layers} layers", bar, compare(mine, theirs, rounds=options.rounds)
        )


if __name__ == "__main__":
    main()
