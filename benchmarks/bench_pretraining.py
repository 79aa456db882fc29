"""C2, C3: a pre-training step against transformers' Wav2Vec2ForPreTraining, forward and backward.

C2 is what comes after the backbone: quantiser, 100 negatives, contrast and diversity, for 2
utterances of 499 frames, down to the gradients of the backbone's output. C3 is the whole step of
wav2vec 2.0 base on 2 x 5 s of noise, without dropouts and LayerDrop: in float32, under bfloat16
autocast on both sides, and ours under autocast against the peer as it comes. Both sides have the
same weights, masks and negatives, and their losses are compared first (in eval, which draws no
Gumbel noise).

Run: .venv/bin/python benchmarks/bench_pretraining.py
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from transformers import Wav2Vec2Config, Wav2Vec2ForPreTraining
from transformers.modeling_outputs import Wav2Vec2BaseModelOutput
from transformers.utils import logging

from duovox.data.stage.negatives import draw_negatives
from duovox.data.stage.span_mask import draw_span_mask
from duovox.loss.contrastive import ContrastiveLoss
from duovox.loss.pretraining import PretrainingLoss
from duovox.network.wav2vec2 import pretrained
from duovox.network.wav2vec2.pretraining import PretrainingNetwork, PretrainingOutput
from side_by_side import compare, has_fast_bf16, print_header, print_row, print_versions

NUM_THREADS, BATCH, NUM_NEGATIVES = 2, 2, 100
HEAD_FRAMES, NUM_SAMPLES = 499, 80_000
QUIET = ("activation", "attention", "feat_proj", "feat_quantizer", "hidden")
CONFIG = {"layerdrop": 0.0} | {f"{name}_dropout": 0.0 for name in QUIET}
Step = Callable[[], Tensor]  # returns the loss


@dataclass
class Masks:
    """What both sides mask and compare with, each in its own form."""

    mask: Tensor  # (B, T)
    num_masked: list[int]
    negatives: Tensor  # (M, N)
    their_negatives: Tensor  # (B, T, N) of all B T frames; unmasked ones have some as well


def draw_masks(num_frames: int, *, batch: int = BATCH) -> Masks:
    generator = np.random.default_rng(0)
    draw = partial(draw_span_mask, num_frames, probability=0.65, length=10, generator=generator)
    mask = np.stack([draw() for _ in range(batch)])
    num_masked = mask.sum(axis=1).tolist()
    places = [draw_negatives(m, NUM_NEGATIVES, generator=generator) for m in num_masked]
    theirs = np.zeros((mask.size, NUM_NEGATIVES), dtype=np.int64)
    for row, drawn in enumerate(places):
        frames = row * num_frames + np.flatnonzero(mask[row])
        theirs[frames] = frames[drawn]
    return Masks(
        mask=torch.from_numpy(mask),
        num_masked=num_masked,
        negatives=torch.from_numpy(np.concatenate(places)),
        their_negatives=torch.from_numpy(theirs.reshape(*mask.shape, NUM_NEGATIVES)),
    )


def make_both() -> tuple[PretrainingNetwork, Wav2Vec2ForPreTraining]:
    torch.manual_seed(0)
    theirs = Wav2Vec2ForPreTraining(Wav2Vec2Config(**CONFIG))
    with tempfile.TemporaryDirectory() as folder:
        theirs.save_pretrained(folder)
        ours = pretrained.load_pretraining(folder, feature_gradient_scale=1.0, length_aware=False)
    return ours, theirs


def our_loss(network: PretrainingNetwork, output: PretrainingOutput, masks: Masks) -> Tensor:
    quantized = output.quantized
    contrast = ContrastiveLoss()(
        output.contexts,
        output.targets,
        codes=quantized.codes,
        negatives=masks.negatives,
        num_masked=masks.num_masked,
    )
    return PretrainingLoss(feature_penalty_weight=0.0)(
        contrast,
        probabilities=quantized.probabilities if network.training else quantized.shares,
        feature_penalty=output.feature_penalty,
    ).total


def our_head(network: PretrainingNetwork, frames: Tensor, features: Tensor, masks: Masks) -> Tensor:
    hidden, contexts = (part[masks.mask] for part in (features, frames))
    quantized = network.quantizer(hidden, temperature=2.0)
    output = PretrainingOutput(
        contexts=network.context_projection(contexts),
        targets=network.target_projection(quantized.vectors),
        quantized=quantized,
        feature_penalty=torch.zeros(()),
        num_frames=torch.empty(0),
    )
    return our_loss(network, output, masks)


class Given(nn.Module):
    """Stands in for the peer's backbone."""

    def __init__(self, frames: Tensor, features: Tensor) -> None:
        super().__init__()
        self.output = Wav2Vec2BaseModelOutput(last_hidden_state=frames, extract_features=features)

    def forward(self, *_: object, **__: object) -> Wav2Vec2BaseModelOutput:
        return self.output


def their_loss(model: Wav2Vec2ForPreTraining, waves: Tensor, masks: Masks) -> Tensor:
    return model(
        waves, mask_time_indices=masks.mask, sampled_negative_indices=masks.their_negatives
    ).loss


def head_steps() -> tuple[Step, Step, list[nn.Module]]:
    ours, theirs = make_both()
    masks = draw_masks(HEAD_FRAMES)
    frames = torch.randn(BATCH, HEAD_FRAMES, 768, requires_grad=True)
    features = torch.randn(BATCH, HEAD_FRAMES, 512, requires_grad=True)
    theirs.wav2vec2 = Given(frames, features)
    return (
        partial(our_head, ours, frames, features, masks),
        partial(their_loss, theirs, torch.empty(BATCH, 1), masks),
        [ours, theirs],
    )


def whole_steps() -> tuple[Step, Step, list[nn.Module]]:
    ours, theirs = make_both()
    waves, num_samples = torch.randn(BATCH, NUM_SAMPLES), torch.full((BATCH,), NUM_SAMPLES)
    masks = draw_masks(ours.backbone.architecture.num_frames(NUM_SAMPLES))

    def our_step() -> Tensor:
        output = ours(waves, num_samples, masks.mask, num_masked=len(masks.negatives))
        return our_loss(ours, output, masks)

    return our_step, partial(their_loss, theirs, waves, masks), [ours, theirs]


def in_bfloat16(step: Step) -> Step:
    def autocast() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return step()

    return autocast


def check(ours: Step, theirs: Step, modules: list[nn.Module]) -> None:
    """Show that the losses agree without noise, then turn to training."""
    for module in modules:
        module.eval()
    found, expected = ours().item(), theirs().item()
    print(f"loss: ours {found:.3f}, transformers {expected:.3f}")
    assert abs(found - expected) < 1e-4 * expected
    for module in modules:
        module.train()


def time_step(name: str, bar: str, ours: Step, theirs: Step, *, rounds: int = 7) -> None:
    print_row(
        name, bar, compare(lambda: ours().backward(), lambda: theirs().backward(), rounds=rounds)
    )


def main() -> None:
    logging.disable_progress_bar()
    torch.set_num_threads(NUM_THREADS)
    print_versions("torch", "transformers")
    ours, theirs, modules = head_steps()
    check(ours, theirs, modules)
    print_header()
    time_step("C2 after the backbone, 2 x 499 frames", ">= 30x", ours, theirs)
    ours, theirs, modules = whole_steps()
    check(ours, theirs, modules)
    time_step("C3 whole step of base, 2 x 5 s, float32", ">= 1.25x", ours, theirs)
    if not has_fast_bf16():
        return
    ours = in_bfloat16(ours)
    time_step("C3 bfloat16 on both sides", ">= 1.4x", ours, in_bfloat16(theirs))
    time_step("C3 ours in bfloat16, peer in float32", ">= 2.7x", ours, theirs)


if __name__ == "__main__":
    main()
