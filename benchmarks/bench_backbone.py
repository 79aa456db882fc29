"""C1: frames of one wave of 10 s by wav2vec 2.0 base, against transformers' Wav2Vec2Model.

Both have the same random weights, run in inference mode on two threads, and their frames are
compared first. C1 is float32 on both sides. C1b is our backbone turned to bfloat16, against
transformers under bfloat16 autocast and against its float32.

The work is 148 GFLOP of matrix products. The last lines say how fast this machine multiplies
large matrices, and so how much faster than the peer anyone could be here.

Run: .venv/bin/python benchmarks/bench_backbone.py
"""

from __future__ import annotations

import time

import torch
from torch import Tensor
from transformers import Wav2Vec2Config, Wav2Vec2Model

from duovox.network.wav2vec2 import architecture
from duovox.network.wav2vec2.backbone import Wav2Vec2Backbone
from duovox.network.wav2vec2.format import huggingface
from duovox.network.wav2vec2.product import product
from side_by_side import (
    Comparison,
    compare,
    has_fast_bf16,
    print_header,
    print_row,
    print_versions,
)

NUM_SAMPLES, NUM_THREADS, GFLOP = 160_000, 2, 148.0


def make_both() -> tuple[Wav2Vec2Backbone, Wav2Vec2Model]:
    torch.manual_seed(0)
    peer = Wav2Vec2Model(Wav2Vec2Config()).eval()
    ours = Wav2Vec2Backbone(architecture.base()).eval()
    ours.load_state_dict(huggingface.translate(peer.state_dict(), ours.state_dict()).state)
    return ours, peer


def relative_error(found: Tensor, expected: Tensor) -> float:
    return ((found.float() - expected).norm() / expected.norm()).item()


def gflop_per_second(dtype: torch.dtype) -> float:
    vectors, weight = (torch.randn(4096, 1024).to(dtype) for _ in range(2))
    weight = weight[:1024].contiguous()
    seconds = []
    for _ in range(12):
        start = time.perf_counter()
        product(vectors, weight, None)
        seconds.append(time.perf_counter() - start)
    return 2 * 4096 * 1024 * 1024 / min(seconds) / 1e9


def print_ceiling(name: str, dtype: torch.dtype, comparison: Comparison) -> None:
    speed = gflop_per_second(dtype)
    print(
        f"{name}: products run at {speed:.0f} GFLOP/s here, so {GFLOP / speed:.2f} s at least and "
        f"{comparison.peer_seconds * speed / GFLOP:.2f}x the peer at most"
    )


def main() -> None:
    torch.set_num_threads(NUM_THREADS)
    ours, peer = make_both()
    waves, num_samples = torch.randn(1, NUM_SAMPLES), torch.tensor([NUM_SAMPLES])

    print_versions("torch", "transformers")
    with torch.inference_mode():
        expected = peer(waves).last_hidden_state
        difference = (ours(waves, num_samples).frames - expected).abs().max().item()
        print(f"largest difference in float32: {difference:.1e}")
        assert difference < 1e-4
        print_header()
        in_float32 = compare(lambda: ours(waves, num_samples), lambda: peer(waves))
        print_row("C1 base, 1 x 10 s, float32", ">= 1.4x", in_float32)
        print_ceiling("float32", torch.float32, in_float32)
        if has_fast_bf16():
            time_bfloat16(ours, peer, waves, num_samples, expected)


def time_bfloat16(
    ours: Wav2Vec2Backbone,
    peer: Wav2Vec2Model,
    waves: Tensor,
    num_samples: Tensor,
    expected: Tensor,
) -> None:
    def peer_autocast() -> Tensor:
        with torch.autocast("cpu", torch.bfloat16):
            return peer(waves).last_hidden_state

    ours.bfloat16()
    errors = [relative_error(ours(waves, num_samples).frames, expected)]
    errors.append(relative_error(peer_autocast(), expected))
    against_autocast = compare(lambda: ours(waves, num_samples), peer_autocast)
    print_row("C1b bfloat16 / peer autocast", ">= 1.3x", against_autocast)
    against_float32 = compare(lambda: ours(waves, num_samples), lambda: peer(waves))
    print_row("C1b bfloat16 / peer float32", ">= 3.3x", against_float32)
    print("relative error of bfloat16: ours {:.1%}, peer {:.1%}".format(*errors))
    print_ceiling("bfloat16", torch.bfloat16, against_autocast)


if __name__ == "__main__":
    main()
