"""Score trial lists: the cosine between two utterances' embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

TRIALS_PER_BLOCK = 2048  # both sides of a block (2 x 2 MB at E=256) stay in the processor's cache
_NUM_NAMED = 20  # missing ids that a message lists


def score_trials(
    embeddings: Tensor, keys: Sequence[str], *, enroll: Sequence[str], test: Sequence[str]
) -> Tensor:
    """Return the cosine score in [-1, 1] of each trial, (N,) on the embeddings' device.

    Args:
        embeddings: (U, E) of any length; an embedding of length 0 scores 0 with everyone.
        keys: the U utterances that they belong to.
        enroll: N keys, the first side of each trial.
        test: N keys, the second side.

    Raises:
        ValueError: trials ask for utterances that have no embedding.
    """
    return cosine_scores(
        F.normalize(embeddings.float(), dim=1),
        enroll_rows=rows_of(enroll, keys),
        test_rows=rows_of(test, keys),
    )


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
    unit_embeddings: Tensor, *, enroll_rows: NDArray[np.int64], test_rows: NDArray[np.int64]
) -> Tensor:
    """Return (N,) inner products of N pairs of rows of (U, E) unit-length embeddings.

    Rows are gathered in blocks that fit the cache: only reading them costs time.
    """
    device = unit_embeddings.device
    enroll = torch.split(torch.as_tensor(enroll_rows, device=device), TRIALS_PER_BLOCK)
    test = torch.split(torch.as_tensor(test_rows, device=device), TRIALS_PER_BLOCK)
    scores = [
        unit_embeddings.index_select(0, left).mul_(unit_embeddings.index_select(0, right)).sum(1)
        for left, right in zip(enroll, test, strict=True)
    ]
    return torch.cat(scores)
