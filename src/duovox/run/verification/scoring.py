"""Score trial lists on embeddings of any system, and measure scores: what `duovox score` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from duovox.data.listing import listing
from duovox.data.trial.list import read_trials
from duovox.data.trial.resolution import spellings
from duovox.data.trial.score_list import ScoreList, read_score_list
from duovox.metric.actual_dcf import read_actual_cost
from duovox.metric.cllr import cllr, read_minimum_cllr
from duovox.metric.cosine_score import cosine_scores
from duovox.metric.eer import EerStyle, read_eer
from duovox.metric.error_curve import error_curve
from duovox.metric.score_normalisation import (
    cohort_statistics,
    normalise_scores,
    refuse_shared_speakers,
    speaker_means,
)
from duovox.run.scores import speaker_scores
from duovox.run.verification.embedding_file import (
    Embeddings,
    is_embedding_file,
    read_embeddings,
)
from duovox.run.verification.matching import label, rows_of_trials
from duovox.run.verification.speakers import look_up, speakers_of
from duovox.task.evaluation import Trials


@dataclass(frozen=True, kw_only=True)
class Cohort:
    """Strangers that scores are normalised by: adaptive s-norm.

    Args:
        top_n: Their largest scores that count.
        utt2spk: Speakers of the cohort and of the trials; the cohort is then one mean embedding per
            speaker, and must share none with the trials. None: each embedding is a stranger.
    """

    path: Path
    top_n: int
    utt2spk: dict[str, str] | None = None


def score(source: Path, *, trials: Path | None = None, cohort: Cohort | None = None) -> ScoreList:
    """Return the labelled scores of a trial list.

    Args:
        source: Embeddings, which are compared by cosine, or scores of any system.
        trials: The list; scores may go without where they have labels.

    Raises:
        ValueError: a file can't be read, the list has trials that the source lacks, scores have
            neither labels nor a list, or the cohort is not of strangers.
    """
    if not source.is_file():
        raise ValueError(f"there is no file {source}")
    if is_embedding_file(source):
        if trials is None:
            raise ValueError(f"{source} holds embeddings, which need a trial list (--trials)")
        return _from_embeddings(source, trials, cohort)
    if cohort is not None:
        raise ValueError(f"{source} holds scores; --cohort normalises scores of embeddings alone")
    scores = read_score_list(source)
    scores = scores if trials is None else label(scores, read_trials(trials))
    if scores.is_target is None:
        raise ValueError(f"{source} has no labels: give the trial list that has them (--trials)")
    return scores


def measure(
    scores: ScoreList,
    *,
    utt2spk: dict[str, str] | None = None,
    eer_style: EerStyle = "interpolated",
    are_llrs: bool = False,
) -> dict[str, Any]:
    """Return the error rates of labelled scores, as in metrics.json.

    Args:
        utt2spk: The speaker of each utterance, over whom intervals are drawn; None: their names
            tell, or there are no intervals.
        eer_style: Of a second reading of the EER, `eer_<style>`, for comparison.
        are_llrs: The scores are log-likelihood ratios, so how well they are calibrated counts too.
    """
    assert scores.is_target is not None
    result = speaker_scores(scores.scores, _with_speakers(scores, scores.is_target, utt2spk))
    curve = error_curve(scores.scores, scores.is_target)
    if eer_style != "interpolated":
        result[f"eer_{eer_style}"] = read_eer(curve, style=eer_style).eer
    if are_llrs:
        for name, p_target in (("p01", 0.01), ("p05", 0.05)):
            result[f"actual_dcf_{name}"] = read_actual_cost(curve, p_target=p_target)
        result["cllr"] = cllr(scores.scores, scores.is_target)
        result["min_cllr"] = read_minimum_cllr(curve)
    return result


def _from_embeddings(source: Path, trials: Path, cohort: Cohort | None) -> ScoreList:
    listed, embeddings = read_trials(trials), read_embeddings(source)
    enroll, test = rows_of_trials(listed, embeddings)
    rows = {"enroll_rows": enroll, "test_rows": test}
    scores: NDArray[np.floating[Any]] = cosine_scores(embeddings.vectors, **rows)
    if cohort is not None:
        used = np.unique(np.concatenate([enroll, test]))
        strangers = _strangers(cohort, embeddings, used)
        vectors = torch.from_numpy(embeddings.vectors)
        statistics = cohort_statistics(vectors, strangers, num_nearest=cohort.top_n)
        scores = normalise_scores(scores, **rows, statistics=statistics)
    return ScoreList(
        name=listed.name,
        keys=tuple(zip(listed.enroll, listed.test, strict=True)),
        scores=scores.astype(np.float64),
        is_target=listed.is_target,
    )


def _strangers(cohort: Cohort, embeddings: Embeddings, used: NDArray[np.int64]) -> Tensor:
    """Return (C, E) unit vectors of the cohort, of whom none is in the trials' rows `used`."""
    found = read_embeddings(cohort.path)
    width = embeddings.vectors.shape[1]
    if found.vectors.shape[1] != width:
        raise ValueError(
            f"the cohort must come from the same system: its embeddings are {width} wide, those "
            f"of {cohort.path} {found.vectors.shape[1]}"
        )
    heard = [embeddings.keys[row] for row in used]
    names = {spellings(key)[0] for key in found.keys}
    same = {vector.tobytes() for vector in found.vectors}
    shared = sorted(
        key
        for key, vector in zip(heard, embeddings.vectors[used], strict=True)
        if spellings(key)[0] in names or vector.tobytes() in same
    )
    if shared:
        raise ValueError(
            f"{len(shared)} utterances of the trials are in the cohort {cohort.path}, which must "
            f"be of strangers:{listing(shared)}"
        )
    if cohort.utt2spk is None:
        return torch.from_numpy(found.vectors)
    speakers = look_up(found.keys, cohort.utt2spk)
    refuse_shared_speakers(speakers, look_up(heard, cohort.utt2spk))
    ids = np.unique(speakers, return_inverse=True)[1]
    return speaker_means(torch.from_numpy(found.vectors), torch.from_numpy(ids))


def _with_speakers(
    scores: ScoreList, is_target: NDArray[np.bool_], utt2spk: dict[str, str] | None
) -> Trials:
    keys: Sequence[tuple[str, str]] = scores.keys or [("", "")] * len(scores)
    enroll, test = zip(*keys, strict=True)
    if scores.keys and utt2spk is not None:
        sides = look_up(enroll, utt2spk), look_up(test, utt2spk)
    else:
        told = speakers_of(keys, is_target) or [("", "")] * len(scores)
        sides = [one for one, _ in told], [other for _, other in told]
    return Trials(
        name=scores.name,
        enroll_keys=enroll,
        test_keys=test,
        enroll_speakers=sides[0],
        test_speakers=sides[1],
        is_target=is_target.tolist(),
    )
