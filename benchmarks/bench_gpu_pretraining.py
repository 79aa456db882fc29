"""G1, G6: pre-training on one GPU in bfloat16, against transformers' Wav2Vec2ForPreTraining.

G1 is a whole step of wav2vec 2.0 base, 64 x 15.6 s of noise, without dropouts and LayerDrop:
forward, backward, AdamW (fused on both sides). The peer runs as it comes (autocast, scaled dot
product attention) and under torch.compile. G6 is the feature encoder alone, forward and backward.
Both sides have the same weights, masks and negatives, and their losses are compared first, in eval.

Printed besides the ratios: seconds of audio a second, MFU (46.0 GFLOP per second of audio and step,
of which the feature encoder's are 14.7, over the 989 TFLOP/s of an H200; multiply for other
devices), and the peak memory of each side.

Run: .venv/bin/python benchmarks/bench_gpu_pretraining.py
Try: ... --device cpu --batch 2 --seconds 1
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from transformers import Wav2Vec2ForPreTraining
from transformers.utils import logging

from bench_pretraining import Masks, check, draw_masks, make_both, our_loss, their_loss
from duovox.network.wav2vec2.pretraining import PretrainingNetwork
from side_by_side import Comparison, compare, print_header, print_row, print_versions

STEP_GFLOP, ENCODER_GFLOP, PEAK_GFLOP = 46.0, 14.7, 989e3  # per second of audio; per second
SAMPLE_RATE = 16_000
Work = Callable[[], object]
Sides = tuple[PretrainingNetwork, Wav2Vec2ForPreTraining]  # ours and the peer


def on(device: str, masks: Masks) -> Masks:
    return Masks(
        mask=masks.mask.to(device),
        num_masked=masks.num_masked,
        negatives=masks.negatives.to(device),
        their_negatives=masks.their_negatives.to(device),
    )


def finished(work: Work, device: str) -> Work:
    """Return the work with a wait for the device behind it."""

    def wait() -> None:
        work()
        if device == "cuda":
            torch.cuda.synchronize()

    return wait


def training_step(loss_of: Callable[[], Tensor], module: nn.Module, device: str) -> Work:
    """Return forward, backward and update in bfloat16, to the end."""
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-6, fused=True)

    def step() -> None:
        with torch.autocast(device, torch.bfloat16):
            loss = loss_of()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return finished(step, device)


def encoder_step(encode: Callable[[], Tensor], module: nn.Module, device: str) -> Work:
    """Return forward and backward of a feature encoder in bfloat16."""

    def step() -> None:
        with torch.autocast(device, torch.bfloat16):
            features = encode()
        features.float().square().mean().backward()
        module.zero_grad(set_to_none=True)

    return finished(step, device)


def print_speed(comparison: Comparison, audio_seconds: float, gflop: float) -> None:
    for name, seconds in (("ours", comparison.ours_seconds), ("peer", comparison.peer_seconds)):
        speed = audio_seconds / seconds
        print(f"  {name}: {speed:,.0f} s of audio a second, MFU {speed * gflop / PEAK_GFLOP:.1%}")


def print_memory(name: str, work: Work, device: str) -> None:
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        work()
        print(f"  {name}: {torch.cuda.max_memory_allocated() / 1e9:.1f} GB at most")


def bench_step(sides: Sides, waves: Tensor, device: str) -> None:
    """Print G1."""
    ours, theirs = sides
    batch, samples = waves.shape
    frames = ours.backbone.architecture.num_frames(samples)
    masks = on(device, draw_masks(frames, batch=batch))
    lengths = torch.full((batch,), samples, device=device)

    def our_step() -> Tensor:
        output = ours(waves, lengths, masks.mask, num_masked=len(masks.negatives))
        return our_loss(ours, output, masks)

    with torch.no_grad():
        check(our_step, partial(their_loss, theirs, waves, masks), [ours, theirs])
    print_header()
    step = training_step(our_step, ours, device)
    for name, bar, peer in (
        ("as it comes", ">= 1.8x", theirs),
        ("compiled", ">= 1.4x", torch.compile(theirs)),
    ):
        their_step = training_step(partial(their_loss, peer, waves, masks), theirs, device)
        comparison = compare(step, their_step)
        print_row(f"G1 step of base, peer {name}", bar, comparison)
        print_speed(comparison, waves.numel() / SAMPLE_RATE, STEP_GFLOP)
        print_memory("ours", step, device)
        print_memory("peer", their_step, device)


def bench_encoder(sides: Sides, waves: Tensor, device: str) -> None:
    """Print G6."""
    ours, theirs = sides[0].backbone.feature_encoder, sides[1].wav2vec2.feature_extractor
    lengths = torch.full((len(waves),), waves.shape[1], device=device)
    comparison = compare(
        encoder_step(lambda: ours(waves, lengths), ours, device),
        encoder_step(lambda: theirs(waves), theirs, device),
    )
    print_row("G6 feature encoder alone", ">= 2x", comparison)
    print_speed(comparison, waves.numel() / SAMPLE_RATE, ENCODER_GFLOP)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=15.6)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("G1, G6: no GPU here; to try the script: --device cpu --batch 2 --seconds 1")
        return
    logging.disable_progress_bar()
    print_versions("torch", "transformers")
    ours, theirs = make_both()
    sides = ours.to(options.device), theirs.to(options.device)
    num_samples = int(SAMPLE_RATE * options.seconds)
    waves = torch.randn(options.batch, num_samples, device=options.device)
    bench_step(sides, waves, options.device)
    bench_encoder(sides, waves, options.device)


if __name__ == "__main__":
    main()
