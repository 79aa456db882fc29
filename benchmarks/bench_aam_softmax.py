"""C12: AAM-softmax forward and backward, 128 utterances, as many speakers as VoxCeleb2 has, and 3x.

Both sides start from the same embeddings (192 numbers) and class weights, go through the cosine
classifier and the loss, and end with the gradients of both. Peer: speechbrain's
`LogSoftmaxWrapper(AdditiveAngularMargin)`, which widens every cosine and then masks.

Run: .venv/bin/python benchmarks/bench_aam_softmax.py
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from speechbrain.nnet.losses import AdditiveAngularMargin, LogSoftmaxWrapper
from torch import Tensor

from duovox.loss.aam_softmax import AamSoftmaxLoss
from side_by_side import compare, print_header, print_row, print_versions

BATCH, WIDTH, MARGIN, SCALE = 128, 192, 0.2, 30.0

Loss = Callable[[Tensor, Tensor], Tensor]


def step(
    loss: Loss, embeddings: Tensor, weights: Tensor, speaker_ids: Tensor
) -> tuple[Tensor, ...]:
    """Return the loss and the gradients of embeddings and class weights."""
    cosines = F.linear(F.normalize(embeddings), F.normalize(weights))
    value = loss(cosines, speaker_ids)
    return value.detach(), *torch.autograd.grad(value, (embeddings, weights))


def main() -> None:
    print_versions("torch", "speechbrain")
    print(f"{torch.get_num_threads()} threads")
    print_header()
    wrapped = LogSoftmaxWrapper(AdditiveAngularMargin(margin=MARGIN, scale=SCALE))
    for num_speakers in (5_994, 17_982):
        embeddings = torch.randn(BATCH, WIDTH, requires_grad=True)
        weights = torch.randn(num_speakers, WIDTH, requires_grad=True)
        speaker_ids = torch.randint(num_speakers, (BATCH,))
        ours = partial(
            step, AamSoftmaxLoss(margin_rad=MARGIN, scale=SCALE), embeddings, weights, speaker_ids
        )
        peer = partial(
            step,
            lambda cosines, ids: wrapped(cosines[:, None], ids[:, None]),
            embeddings,
            weights,
            speaker_ids,
        )
        torch.testing.assert_close(ours(), peer(), rtol=1e-4, atol=1e-6)
        print_row(f"C12 AAM-softmax, {num_speakers:,} speakers", ">= 1.8x", compare(ours, peer))
        nothing = partial(step, lambda cosines, _: cosines.sum(), embeddings, weights, speaker_ids)
        limit = compare(nothing, peer)
        print(
            f"   {1e3 * limit.ours_seconds:.1f} ms of both are the cosines and their gradients: "
            f"no loss could make this more than {limit.ratio:.1f}x as fast"
        )


if __name__ == "__main__":
    main()
