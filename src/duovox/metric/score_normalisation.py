"""Adaptive s-norm: judge a score by how its two utterances score against strangers.

Each utterance is compared with a cohort of other speakers; mean and standard deviation of its
largest cohort scores say what a high score means *for this utterance*. A trial's score is turned
into a z-score on both sides, and the two are averaged. The usual cohort is one mean embedding per
training speaker, with the 300 largest scores.

Source: Matejka et al. 2017, "Analysis of Score Normalization in Multilingual Speaker Recognition".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

SMALLEST_STD = 1e-4  # below it, an utterance scores alike with everyone and says nothing
_SCORES_PER_BLOCK = 20_000_000  # of one matrix product: 80 MB, large enough for full speed
_ROWS_AT_ONCE = 32  # of these scores, whose largest are looked for at once, in the cache
_GROUP = 32  # cohort scores that share one maximum


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortStatistics:
    """How U utterances score against their nearest strangers."""

    means: NDArray[np.float64]  # (U,)
    stds: NDArray[np.float64]  # (U,) population standard deviation, at least SMALLEST_STD


def speaker_means(embeddings: Tensor, speaker_ids: Tensor) -> Tensor:
    """Return a cohort: the unit-length mean of each speaker's unit-length embeddings.

    Args:
        embeddings: (U, E).
        speaker_ids: (U,) any integers.

    Returns:
        (K, E), in ascending order of the ids.
    """
    ids, rows = torch.unique(speaker_ids, return_inverse=True)
    sums = embeddings.new_zeros(len(ids), embeddings.shape[1])
    sums.index_add_(0, rows, F.normalize(embeddings, dim=1))
    return F.normalize(sums, dim=1)


def refuse_shared_speakers(cohort_speakers: Iterable[str], trial_speakers: Iterable[str]) -> None:
    """Raise ValueError when a speaker of the trials is in the cohort: they are no strangers."""
    shared = sorted(set(cohort_speakers) & set(trial_speakers))
    if shared:
        raise ValueError(
            f"{len(shared)} speakers are both in the cohort and in the trials, such as "
            f"{', '.join(shared[:5])}: take a cohort of other speakers"
        )


def cohort_statistics(
    unit_embeddings: Tensor, unit_cohort: Tensor, *, num_nearest: int = 300
) -> CohortStatistics:
    """Return mean and standard deviation of each utterance's largest cohort scores.

    Args:
        unit_embeddings: (U, E) unit length, once per utterance however many trials it is in.
        unit_cohort: (C, E) unit length.
        num_nearest: scores that count; a smaller cohort counts whole.

    Raises:
        ValueError: fewer than two scores would count, which have no deviation.
    """
    if min(len(unit_cohort), num_nearest) < 2:
        raise ValueError(
            "score normalisation needs the scores of two strangers at least, got a cohort of "
            f"{len(unit_cohort)}, of whom the {num_nearest} nearest count"
        )
    cohort = np.ascontiguousarray(unit_cohort.float().cpu().numpy().T)  # (E, C)
    num_nearest = min(num_nearest, cohort.shape[1])
    means, stds = [], []
    for rows in _score_blocks(unit_embeddings.float().cpu().numpy(), cohort):
        nearest = largest(rows, num_nearest).astype(np.float64)
        means.append(nearest.mean(axis=1))
        stds.append(nearest.std(axis=1))
    return CohortStatistics(
        means=np.concatenate(means), stds=np.maximum(np.concatenate(stds), SMALLEST_STD)
    )


def normalise_scores(
    scores: NDArray[Any],
    *,
    enroll_rows: NDArray[np.int64],
    test_rows: NDArray[np.int64],
    statistics: CohortStatistics,
) -> NDArray[np.float64]:
    """Return (N,) z-scores averaged over both sides; they no longer lie in [-1, 1].

    Args:
        scores: (N,) raw scores.
        enroll_rows: (N,) where the first side stands in the statistics.
        test_rows: (N,) where the second side stands.
    """
    sides = [
        (scores - statistics.means[rows]) / statistics.stds[rows]
        for rows in (enroll_rows, test_rows)
    ]
    return np.asarray(sides[0] + sides[1]) / 2


def _score_blocks(
    embeddings: NDArray[np.float32], cohort: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Yield (few, C) scores of the embeddings (U, E) with the cohort (E, C), all rows in order.

    A block's memory is used again for the next one.
    """
    num_rows = max(1, _SCORES_PER_BLOCK // cohort.shape[1])
    scores = np.empty((min(num_rows, len(embeddings)), cohort.shape[1]), np.float32)
    for start in range(0, len(embeddings), num_rows):
        block = embeddings[start : start + num_rows]
        np.matmul(block, cohort, out=scores[: len(block)])
        for first in range(0, len(block), _ROWS_AT_ONCE):
            yield scores[first : min(first + _ROWS_AT_ONCE, len(block))]


def largest(scores: NDArray[np.float32], num_largest: int) -> NDArray[np.float32]:
    """Return the `num_largest` largest values of each row of (B, C), in any order.

    At least `num_largest` values reach the `num_largest`-th largest maximum of groups of columns:
    all that lies below that bound is dropped in one pass, and the few left over are partitioned.
    """
    num_rows, num_columns = scores.shape
    num_groups = num_columns // _GROUP
    if num_groups <= num_largest:
        return _partition(scores, num_largest)
    grouped = scores[:, : num_groups * _GROUP].reshape(num_rows, _GROUP, num_groups)
    bounds = _partition(grouped.max(axis=1), num_largest).min(axis=1, keepdims=True)
    places = np.flatnonzero(scores >= bounds)  # row after row
    counts = np.diff(np.searchsorted(places, np.arange(num_rows + 1) * num_columns))
    candidates = np.full((num_rows, counts.max()), -np.inf, np.float32)
    candidates[np.arange(candidates.shape[1]) < counts[:, None]] = scores.ravel()[places]
    return _partition(candidates, num_largest)


def _partition(values: NDArray[np.float32], num_largest: int) -> NDArray[np.float32]:
    first = values.shape[1] - num_largest
    largest_values: NDArray[np.float32] = np.partition(values, first, axis=1)[:, first:]
    return largest_values
