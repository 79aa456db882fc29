"""Score trial lists: the cosine between two utterances' embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TRIALS_PER_BLOCK = 512  # both sides of a block (2 x 0.5 MB at E=256) stay in the processor's cache
_SHORTEST = 1e-12  # an embedding of length 0 stays 0
_NUM_NAMED = 20  # missing ids that a message lists


def score_trials(
    embeddings: Tensor, keys: Sequence[str], *, enroll: Sequence[str], test: Sequence[str]
) -> Tensor:
    """Return the cosine score in [-1, 1] of each trial, (N,) float32 on the CPU.

    Args:
        embeddings: (U, E) of any length; an embedding of length 0 scores 0 with everyone.
        keys: the U utterances that they belong to.
        enroll: N keys, the first side of each trial.
        test: N keys, the second side.

    Raises:
        ValueError: trials ask for utterances that have no embedding.
    """
    table = embeddings.detach().float().cpu().numpy()
    lengths = np.linalg.norm(table, axis=1, keepdims=True)
    scores = cosine_scores(
        table / np.maximum(lengths, _SHORTEST),
        enroll_rows=rows_of(enroll, keys),
        test_rows=rows_of(test, keys),
    )
    return torch.from_numpy(scores)


def rows_of(wanted: Sequence[str], keys: Sequence[str]) -> NDArray[np.int64]:
    """Return where each wanted key stands among the keys."""
    row_of_key = {key: row for row, key in enumerate(keys)}
    rows = np.fromiter(map(row_of_key.get, wanted, repeat(-1)), np.int64, count=len(wanted))
    if (rows < 0).any():
        missing = sorted({key for key, row in zip(wanted, rows, strict=True) if row < 0})
        named = ", ".join(missing[:_NUM_NAMED]) + (", ..." if len(missing) > _NUM_NAMED else "")
        raise ValueError(
            f"{len(missing)} utterances of the trial list have no embedding: {named}. Is this the "
            "trial list of this data set?"
        )
    return rows


def cosine_scores(
    unit_embeddings: NDArray[np.float32],
    *,
    enroll_rows: NDArray[np.int64],
    test_rows: NDArray[np.int64],
) -> NDArray[np.float32]:
    """Return (N,) inner products of N pairs of rows of (U, E) unit-length embeddings.

    Rows are gathered in blocks that fit the cache, so that reading them is all it costs; numpy does
    it in one thread, for which a busy machine is no drama.
    """
    scores = np.empty(len(enroll_rows), np.float32)
    for start in range(0, len(scores), TRIALS_PER_BLOCK):
        block = slice(start, start + TRIALS_PER_BLOCK)
        left = unit_embeddings.take(enroll_rows[block], axis=0)  # (block, E)
        right = unit_embeddings.take(test_rows[block], axis=0)
        np.einsum("ne,ne->n", left, right, out=scores[block])
    return scores
