"""C4: masked spans and negatives of a batch, 32 utterances of 780 frames, 100 negatives each.

Peers: the numpy functions of transformers that its pre-training script calls for every batch, and
for the masks alone speechbrain's `compute_mask`. Transformers draws negatives for unmasked frames
too, which its loss throws away; ours come as int16 places among the masked frames.

Run: .venv/bin/python benchmarks/bench_masks.py
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from speechbrain.lobes.models.wav2vec import compute_mask
from transformers.models.wav2vec2.modeling_wav2vec2 import (
    _compute_mask_indices,
    _sample_negative_indices,
)

from duovox.data.stage.negatives import Places, draw_negatives
from duovox.data.stage.span_mask import draw_span_mask
from side_by_side import compare, print_header, print_row, print_versions

BATCH, FRAMES, NEGATIVES, PROBABILITY, LENGTH = 32, 780, 100, 0.65, 10
Masks = NDArray[np.bool_]  # (BATCH, FRAMES)


def our_masks(generator: np.random.Generator) -> Masks:
    drawn = [
        draw_span_mask(FRAMES, probability=PROBABILITY, length=LENGTH, generator=generator)
        for _ in range(BATCH)
    ]
    return np.stack(drawn)


def our_negatives(masks: Masks, generator: np.random.Generator) -> Places:
    counts = masks.sum(axis=1).tolist()
    return np.concatenate([draw_negatives(m, NEGATIVES, generator=generator) for m in counts])


def their_masks() -> Masks:
    return _compute_mask_indices((BATCH, FRAMES), PROBABILITY, LENGTH)


def their_negatives(masks: Masks) -> NDArray[np.int32]:
    return _sample_negative_indices((BATCH, FRAMES), NEGATIVES, masks)


def speechbrain_masks() -> Masks:
    return compute_mask((BATCH, FRAMES), [FRAMES] * BATCH, PROBABILITY, LENGTH)


def check(masks: Masks, negatives: Places) -> None:
    """Show that all mask alike, and that our negatives are other masked frames, drawn evenly."""
    shares = {"ours": masks, "transformers": their_masks(), "speechbrain": speechbrain_masks()}
    print("masked: " + ", ".join(f"{name} {mask.mean():.1%}" for name, mask in shares.items()))
    first = int(masks[0].sum())
    itself, drawn = np.arange(first)[:, None], negatives[:first]
    assert (drawn != itself).all()
    assert len(np.unique(drawn)) == drawn.max() + 1 == first
    counts = np.bincount(drawn.ravel())
    assert counts.std() / counts.mean() < 2 / NEGATIVES**0.5


def main() -> None:
    generator = np.random.default_rng(0)
    masks = our_masks(generator)
    print_versions("numpy", "transformers", "speechbrain")
    check(masks, our_negatives(masks, generator))
    print_header()

    def ours() -> None:
        our_negatives(our_masks(generator), generator)

    def transformers() -> None:
        their_negatives(their_masks())

    print_row("C4 masks and negatives, transformers", ">= 5x", compare(ours, transformers))
    only_masks = compare(lambda: our_masks(generator), their_masks)
    print_row("C4 masks alone, transformers", "", only_masks)
    only_masks = compare(lambda: our_masks(generator), speechbrain_masks)
    print_row("C4 masks alone, speechbrain", ">= 20x", only_masks)


if __name__ == "__main__":
    main()
