"""Put utterances of one speaker side by side, for losses that compare utterances of a batch."""

from __future__ import annotations

import numpy as np

from duovox.data.plan.batching import Rows


def in_runs(rows: Rows, speakers: Rows, *, length: int, generator: np.random.Generator) -> Rows:
    """Return the rows shuffled, in runs of `length` utterances of one speaker.

    What is left of each speaker makes a shorter run; those come last, so that the others fill whole
    batches.

    Args:
        speakers: (N,) number of the speaker of each row of the index.

    Source: Hermans et al. 2017, "In Defense of the Triplet Loss", section 2 (batches of P persons
    with K images each).
    """
    shuffled = generator.permutation(rows)
    by_speaker = shuffled[np.argsort(speakers[shuffled], kind="stable")]
    is_first = np.diff(speakers[by_speaker], prepend=-1) != 0
    (starts,) = np.nonzero(is_first)
    place = np.arange(len(rows)) - starts[np.cumsum(is_first) - 1]  # among the speaker's own
    run = np.cumsum(place % length == 0) - 1
    sizes = np.bincount(run)
    rank = generator.random(len(sizes)) + (sizes < length)
    return by_speaker[np.argsort(rank[run], kind="stable")]
