"""Turn what was heard into the numbers of metrics.json, with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duovox.metric.eer import read_eer
from duovox.metric.error_curve import error_curve
from duovox.metric.interval import error_rate_interval, middle
from duovox.metric.min_dcf import lowest_cost, read_detection_cost
from duovox.metric.trial_draws import interpolated_eer, trial_draws
from duovox.metric.wer import (
    EditCounts,
    character_error_rate,
    count_character_edits,
    count_word_edits,
    word_error_rate,
)
from duovox.task.evaluation import Hypothesis, Trials
from duovox.task.ssl_evaluation import SslEvaluation


def speech_scores(hypotheses: Sequence[Hypothesis]) -> dict[str, Any]:
    """Return the word and character error rates of a set; rates are fractions."""
    references = [item.reference for item in hypotheses]
    texts = [item.hypothesis for item in hypotheses]
    words = word_error_rate(references, texts)
    return {
        "wer": words.wer,
        "wer_interval": _interval(count_word_edits(references, texts)),
        "cer": character_error_rate(references, texts).cer,
        "cer_interval": _interval(count_character_edits(references, texts)),
        "substitutions": words.substitutions,
        "deletions": words.deletions,
        "insertions": words.insertions,
        "num_words": words.num_words,
        "num_utterances": len(hypotheses),
    }


def speaker_scores(scores: NDArray[np.floating[Any]], trials: Trials) -> dict[str, Any]:
    """Return the error rates of verification trials; detection costs are normalised.

    The intervals are None where a speaker is unknown (""): they are drawn over speakers. A public
    list is named, as the original and the cleaned ones give different rates.
    """
    curve = error_curve(scores, trials.is_target)
    result = read_eer(curve)
    speakers = {*trials.enroll_speakers, *trials.test_speakers}
    intervals = [None] * 3 if "" in speakers else _speaker_intervals(scores, trials)
    return {
        "eer": result.eer,
        "eer_interval": intervals[0],
        "eer_threshold": result.threshold,
        "min_dcf_p01": read_detection_cost(curve, p_target=0.01),
        "min_dcf_p01_interval": intervals[1],
        "min_dcf_p05": read_detection_cost(curve, p_target=0.05),
        "min_dcf_p05_interval": intervals[2],
        "num_trials": len(scores),
        "num_targets": sum(trials.is_target),
        "num_speakers": len(speakers - {""}),
        "trial_list": trials.known_as,
    }


def ssl_scores(evaluation: SslEvaluation) -> dict[str, Any]:
    """Return loss and contrast per masked frame, accuracy, and entries in use of each codebook."""
    result = evaluation.result()
    return {name: result[name] for name in ("loss", "contrastive", "accuracy")} | {
        "code_perplexity": evaluation.code_perplexities(),
        "prob_perplexity": evaluation.prob_perplexities(),
        "num_entries": evaluation.code_shares().shape[1],
        "num_masked": evaluation.num_masked,
        "num_utterances": evaluation.num_utterances,
    }


def _speaker_intervals(scores: NDArray[np.floating[Any]], trials: Trials) -> list[list[float]]:
    draws = trial_draws(
        scores,
        trials.is_target,
        measures=[interpolated_eer, *(partial(lowest_cost, p_target=p) for p in (0.01, 0.05))],
        enroll_speakers=trials.enroll_speakers,
        test_speakers=trials.test_speakers,
    )
    return [list(astuple(middle(column[~np.isnan(column)]))) for column in draws.T]


def _interval(edits: EditCounts) -> list[float]:
    return list(astuple(error_rate_interval(edits.errors, edits.num_units)))
