"""C10: plan the batches of LibriSpeech-like lengths, against lhotse and speechbrain.

All planners get the same lengths and a budget of 200 s; the peers' manifests are in memory before
the clock starts. First the padding of one epoch of 281k utterances; then the time to plan one epoch
of 28.5k (the size of train-clean-100), as the peers need seconds for it. Padding is measured alike
for all: samples that are zeros, of all samples in the padded batches.

Run: python benchmarks/bench_plan.py
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from duovox.data.plan.batching import Batching
from duovox.data.plan.epoch import plan
from side_by_side import compare, print_header, print_row, print_versions

SAMPLE_RATE = 16_000
BUDGET_SECONDS = 200
RANDOM_BATCH_SIZE = 14  # 200 s hold as many, on average
Lengths = NDArray[np.int64]
Batches = Sequence[Sequence[int]]  # the utterances of each batch
Planner = Callable[[], Batches]


def main() -> None:
    """Print the padding of each planner, then one line per comparison."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    print_versions("numpy", "lhotse", "speechbrain")
    padding = _print_padding(_planners(librispeech_lengths(281_241)), librispeech_lengths(281_241))
    saved = (1 - padding["ours"]) / (1 - padding[f"random, {RANDOM_BATCH_SIZE} per batch"])
    print(f"samples per epoch, random batching against ours: {saved:.2f}x (bar: >= 1.25x)\n")
    print_header()
    planners = _planners(librispeech_lengths(28_539))
    for name in ("lhotse, 30 buckets", "lhotse, 100 buckets", "speechbrain, 30 buckets"):
        comparison = compare(planners["ours"], planners[name])
        print_row(f"plan of 28.5k utterances, {name}", ">= 10x", comparison)


def _print_padding(planners: dict[str, Planner], lengths: Lengths) -> dict[str, float]:
    """Return the share of padding by planner, after checking that each plans everything once."""
    padding = {}
    print(f"{'281k utterances, 200 s per batch':<44}  padding  batches   longest  bar")
    for name, planner in planners.items():
        batches = [np.asarray(batch) for batch in planner()]
        assert np.array_equal(np.sort(np.concatenate(batches)), np.arange(len(lengths)))
        padded = [len(batch) * lengths[batch].max() for batch in batches]
        padding[name] = 1 - lengths.sum() / sum(padded)
        longest, bar = max(padded) / SAMPLE_RATE, "  <= 1 %" if name == "ours" else ""
        print(
            f"{name:<44} {padding[name]:>8.2%} {len(batches):>8} {longest:>7.1f} s{bar}", flush=True
        )
    return padding


def _planners(lengths: Lengths) -> dict[str, Planner]:
    return {
        "ours": lambda: _ours(lengths),
        "lhotse, 30 buckets": _lhotse(lengths, num_buckets=30),
        "lhotse, 100 buckets": _lhotse(lengths, num_buckets=100),
        "speechbrain, 30 buckets": _speechbrain(lengths, num_buckets=30),
        f"random, {RANDOM_BATCH_SIZE} per batch": lambda: _random(lengths),
    }


def _ours(lengths: Lengths) -> Batches:
    shards = np.arange(len(lengths)) // 1000
    batching = Batching(max_padded_samples=BUDGET_SECONDS * SAMPLE_RATE)
    planned = plan(lengths, shards, batching=batching, seed=1, epoch=0)
    return [planned.batch(number) for number in range(len(planned))]


def _lhotse(lengths: Lengths, *, num_buckets: int) -> Planner:
    from lhotse import CutSet, MonoCut
    from lhotse.dataset import DynamicBucketingSampler

    cuts = CutSet.from_cuts(
        MonoCut(id=str(number), start=0, duration=seconds, channel=0, supervisions=[])
        for number, seconds in enumerate((lengths / SAMPLE_RATE).tolist())
    )

    def planner() -> Batches:
        sampler = DynamicBucketingSampler(
            cuts, max_duration=BUDGET_SECONDS, num_buckets=num_buckets, shuffle=True, seed=1
        )
        return [[int(cut.id) for cut in batch] for batch in sampler]

    return planner


def _speechbrain(lengths: Lengths, *, num_buckets: int) -> Planner:
    from speechbrain.dataio.sampler import DynamicBatchSampler

    seconds = (lengths / SAMPLE_RATE).tolist()

    def planner() -> Batches:
        return list(
            DynamicBatchSampler(
                seconds, BUDGET_SECONDS, num_buckets=num_buckets, lengths_list=seconds, seed=1
            )
        )

    return planner


def _random(lengths: Lengths) -> Batches:
    rows = np.random.default_rng(1).permutation(len(lengths))
    return [
        rows[start : start + RANDOM_BATCH_SIZE] for start in range(0, len(rows), RANDOM_BATCH_SIZE)
    ]


def librispeech_lengths(num_utterances: int) -> Lengths:
    """Draw lengths in samples: 70 % around 14.3 s, the rest even from 1.3 to 15 s."""
    generator = np.random.default_rng(0)
    long = generator.normal(14.3, 1.3, num_utterances)
    short = generator.uniform(1.3, 15, num_utterances)
    seconds = np.where(generator.random(num_utterances) < 0.7, long, short)
    return (np.clip(seconds, 1.3, 29.7) * SAMPLE_RATE).astype(np.int64)


if __name__ == "__main__":
    main()
