"""Turn what was heard into the numbers of metrics.json, with their 95 % intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from duovox.metric.eer import equal_error_rate
from duovox.metric.min_dcf import minimum_detection_cost
from duovox.metric.wer import character_error_rate, word_error_rate
from duovox.task.evaluation import Hypothesis, Trials


def speech_scores(hypotheses: Sequence[Hypothesis]) -> dict[str, Any]:
    """Return the word and character error rates of a set, as fractions."""
    references = [item.reference for item in hypotheses]
    texts = [item.hypothesis for item in hypotheses]
    words = word_error_rate(references, texts)
    return {
        "wer": words.wer,
        "cer": character_error_rate(references, texts).cer,
        "substitutions": words.substitutions,
        "deletions": words.deletions,
        "insertions": words.insertions,
        "num_words": words.num_words,
        "num_utterances": len(hypotheses),
    }


def speaker_scores(scores: NDArray[np.float32], trials: Trials) -> dict[str, Any]:
    """Return the error rates of verification trials, as fractions; detection costs normalised."""
    result = equal_error_rate(scores, trials.is_target)
    return {
        "eer": result.eer,
        "eer_threshold": result.threshold,
        "min_dcf_p01": minimum_detection_cost(scores, trials.is_target, p_target=0.01),
        "min_dcf_p05": minimum_detection_cost(scores, trials.is_target, p_target=0.05),
        "num_trials": len(scores),
        "num_targets": sum(trials.is_target),
        "num_speakers": len({*trials.enroll_speakers, *trials.test_speakers}),
    }
