"""G2 to G4: words, speakers and both on one GPU, against transformers' Wav2Vec2Model.

All in bfloat16 autocast with AdamW (fused), convolutions frozen, sizes of wav2vec 2.0 base, heads
and losses the same on both sides (those of C13, whose losses are compared first).

G2: words, 256 utterances with LibriSpeech-like lengths. Ours hears the batches that `plan` makes of
them (200 s padded); the peer batches of 14 at random, and the same batches as ours. G3: speakers,
512 chunks of 3 s. G4: a batch of words and one of speakers, 200 s each, in one step: against the
two steps alone (ours), and against the peer with both padded to one batch.

Printed besides the ratios: seconds of true audio a second, MFU (over the 989 TFLOP/s of an H200;
multiply for other devices), and the peak memory of each side.

Run: .venv/bin/python benchmarks/bench_gpu_multitask.py
Try: ... --device cpu --scale 100 --layers 1
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn
from transformers.utils import logging

from bench_gpu_pretraining import PEAK_GFLOP, Work, finished, print_memory
from bench_multitask import (
    SAMPLE_RATE,
    SPEAKER,
    SPEECH,
    Losses,
    Peer,
    check,
    draw_voices,
    draw_words,
    make_both,
    num_frames,
    our_losses,
    their_losses,
    their_padded_losses,
)
from bench_plan import librispeech_lengths
from duovox.batch import SpeakerBatch, SpeechBatch
from duovox.data.plan.batching import Batching
from duovox.data.plan.epoch import plan
from duovox.network.assemble import SpeechSpeakerNetwork
from side_by_side import Comparison, compare, print_header, print_row, print_versions

WORDS_GFLOP, VOICES_GFLOP = 36.2, 32.8  # of a step, per second of audio: 15.6 s, and 3 s
NUM_UTTERANCES, RANDOM_BATCH_SIZE, BATCH_SECONDS, CHUNKS = 256, 14, 200, 512


def steps_of(module: nn.Module, device: str) -> Callable[[Losses], Work]:
    """Return what makes a step of losses: forward, backward and update in bfloat16, to the end."""
    optimizer = torch.optim.AdamW(module.parameters(), lr=1e-6, fused=True)

    def step(losses: Losses) -> Work:
        def work() -> None:
            with torch.autocast(device, torch.bfloat16):
                total = torch.stack([*losses()]).sum()
            total.backward()
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

        return finished(work, device)

    return step


def one_after_the_other(works: Sequence[Work]) -> Work:
    def work() -> None:
        for one in works:
            one()

    return work


def words_of(lengths: np.ndarray, device: str) -> SpeechBatch:
    """Return a batch of noise with these lengths in samples, padded to the longest."""
    longest = draw_words(len(lengths), lengths.max() / SAMPLE_RATE)
    num_samples = torch.from_numpy(lengths)
    is_real = torch.arange(longest.waves.shape[1]) < num_samples[:, None]
    share = num_samples / lengths.max()
    return SpeechBatch(
        keys=longest.keys,
        waves=longest.waves * is_real,
        num_samples=num_samples,
        tokens=longest.tokens,
        num_tokens=(longest.num_tokens * share).long(),
        transcripts=longest.transcripts,
    ).to(device)


def our_words(network: SpeechSpeakerNetwork, words: SpeechBatch) -> tuple[Tensor]:
    return (SPEECH.forward(network, words)[1],)


def our_voices(network: SpeechSpeakerNetwork, voices: SpeakerBatch) -> tuple[Tensor]:
    return (SPEAKER.forward(network, voices)[1],)


def their_words(peer: Peer, words: SpeechBatch) -> tuple[Tensor]:
    heard = peer.frames(words.waves, words.num_samples)
    return (peer.speech_loss(words, heard, num_frames(words.num_samples)),)


def their_voices(peer: Peer, voices: SpeakerBatch) -> tuple[Tensor]:
    heard = peer.frames(voices.waves, voices.num_samples)
    return (peer.speaker_loss(voices, heard, num_frames(voices.num_samples)),)


def print_speed(comparison: Comparison, audio_seconds: float, gflop: float) -> None:
    for name, seconds in (("ours", comparison.ours_seconds), ("peer", comparison.peer_seconds)):
        speed = audio_seconds / seconds
        print(f"  {name}: {speed:,.0f} s of audio a second, MFU {speed * gflop / PEAK_GFLOP:.1%}")


def bench_words(ours: SpeechSpeakerNetwork, peer: Peer, device: str, scale: int) -> None:
    """Print G2."""
    lengths = librispeech_lengths(max(2, NUM_UTTERANCES // scale))
    batching = Batching(max_padded_samples=max(BATCH_SECONDS // scale, 30) * SAMPLE_RATE)
    planned = plan(lengths, np.zeros_like(lengths), batching=batching, seed=1, epoch=0)
    sorted_ = [words_of(lengths[planned.batch(n)], device) for n in range(len(planned))]
    rows = np.random.default_rng(1).permutation(len(lengths))
    starts = range(0, len(rows), RANDOM_BATCH_SIZE)
    random = [words_of(lengths[rows[n : n + RANDOM_BATCH_SIZE]], device) for n in starts]
    step, their_step = steps_of(ours, device), steps_of(peer, device)
    mine = [step(partial(our_words, ours, words)) for words in sorted_]
    for name, bar, batches in (("random", ">= 2x", random), ("the same", ">= 1.5x", sorted_)):
        theirs = [their_step(partial(their_words, peer, words)) for words in batches]
        comparison = compare(one_after_the_other(mine), one_after_the_other(theirs))
        print_row(f"G2 words, peer with {name} batches", bar, comparison)
        print_speed(comparison, lengths.sum() / SAMPLE_RATE, WORDS_GFLOP)
        print_memory("ours", one_after_the_other(mine), device)
        print_memory("peer", one_after_the_other(theirs), device)


def bench_voices(ours: SpeechSpeakerNetwork, peer: Peer, device: str, scale: int) -> None:
    """Print G3."""
    voices = draw_voices(max(2, CHUNKS // scale), 3).to(device)
    mine = steps_of(ours, device)(partial(our_voices, ours, voices))
    theirs = steps_of(peer, device)(partial(their_voices, peer, voices))
    comparison = compare(mine, theirs)
    print_row("G3 speakers, chunks of 3 s", "8,100 s a second", comparison)
    print_speed(comparison, 3 * len(voices), VOICES_GFLOP)
    print_memory("ours", mine, device)
    print_memory("peer", theirs, device)


def bench_both(ours: SpeechSpeakerNetwork, peer: Peer, device: str, scale: int) -> None:
    """Print G4."""
    words = draw_words(max(2, 14 // scale), 14.3).to(device)
    voices = draw_voices(max(2, 66 // scale), 3).to(device)
    step = steps_of(ours, device)
    mine = step(partial(our_losses, ours, words, voices))
    alone = [step(partial(our_words, ours, words)), step(partial(our_voices, ours, voices))]
    print_row(
        "G4 both / one after the other", ">= 0.97x", compare(mine, one_after_the_other(alone))
    )
    padded = steps_of(peer, device)(partial(their_padded_losses, peer, words, voices))
    print_row("G4 both / peer padded to one batch", ">= 1.5x", compare(mine, padded))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--layers", type=int, default=12)
    parser.add_argument("--scale", type=int, default=1, help="divides the sizes of all batches")
    options = parser.parse_args()
    device, scale = options.device, options.scale
    if device == "cuda" and not torch.cuda.is_available():
        print("G2 to G4: no GPU here; to try the script: --device cpu --scale 100 --layers 1")
        return
    logging.disable_progress_bar()
    print_versions("torch", "transformers")
    ours, peer = (module.to(device) for module in make_both(options.layers))
    words, voices = draw_words(2, 4).to(device), draw_voices(2, 3).to(device)
    with torch.no_grad():
        mine, theirs = (
            our_losses(ours, words, voices),
            their_losses(peer, peer, words, voices),
        )
        check("float32", mine, theirs, tolerance=1e-3)
    print_header()
    for bench in (bench_words, bench_voices, bench_both):
        bench(ours, peer, device, scale)


if __name__ == "__main__":
    main()
