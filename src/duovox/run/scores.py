"""Turn what was heard into the numbers of metrics.json, with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

from numpy.typing import NDArray

from duovox.metric.eer import equal_error_rate
from duovox.metric.interval import equal_error_rate_interval, error_rate_interval
from duovox.metric.min_dcf import minimum_detection_cost
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


def speaker_scores(scores: NDArray[Any], trials: Trials) -> dict[str, Any]:
    """Return the error rates of verification trials; detection costs are normalised.

    The interval is None where a speaker is unknown (""): it is drawn over speakers. A public list
    is named, as the original and the cleaned ones give different rates.
    """
    result = equal_error_rate(scores, trials.is_target)
    speakers = {*trials.enroll_speakers, *trials.test_speakers}
    return {
        "eer": result.eer,
        "eer_interval": None if "" in speakers else _speaker_interval(scores, trials),
        "eer_threshold": result.threshold,
        "min_dcf_p01": minimum_detection_cost(scores, trials.is_target, p_target=0.01),
        "min_dcf_p05": minimum_detection_cost(scores, trials.is_target, p_target=0.05),
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


def _speaker_interval(scores: NDArray[Any], trials: Trials) -> list[float]:
    interval = equal_error_rate_interval(
        scores,
        trials.is_target,
        enroll_speakers=trials.enroll_speakers,
        test_speakers=trials.test_speakers,
    )
    return list(astuple(interval))


def _interval(edits: EditCounts) -> list[float]:
    return list(astuple(error_rate_interval(edits.errors, edits.num_units)))
