"""Cost of log-likelihood ratios: how much of the speakers' information reaches any decision.

In bits per trial: 0 where every trial is told apart with certainty, 1 where scores say nothing;
above 1 they mislead. What `cllr` exceeds `minimum_cllr` by is lost by calibration alone.

Source: Brummer & du Preez 2006, "Application-independent evaluation of speaker detection",
sections 5 (the cost) and 6 (its minimum).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from duovox.metric.error_curve import ErrorCurve, error_curve
from duovox.metric.trial_scores import Labels, Scores, checked


def cllr(llrs: Scores, labels: Labels) -> float:
    """Return the mean of log2(1 + 1/LR) over targets and of log2(1 + LR) over non-targets, halved.

    Args:
        llrs: (N,) natural log-likelihood ratios, target to non-target.
        labels: (N,) 1 = same speaker, 0 = different speakers.
    """
    values, is_target = checked(llrs, labels)
    values = values.astype(np.float64)
    return (_cost(-values[is_target]) + _cost(values[~is_target])) / 2


def minimum_cllr(scores: Scores, labels: Labels) -> float:
    """Return the cost under the best calibration that keeps the scores in their order.

    Args:
        scores: (N,) higher = more alike; of any scale.
        labels: (N,) 1 = same speaker, 0 = different speakers.
    """
    return read_minimum_cllr(error_curve(scores, labels))


def read_minimum_cllr(curve: ErrorCurve) -> float:
    """Return the minimum cost of a curve, see `minimum_cllr`.

    The best rising map from scores to posteriors is the isotonic regression of the labels (pool
    adjacent violators). Groups of tied scores that hold one class only may become certain.
    """
    from sklearn.isotonic import isotonic_regression  # a second: only who asks for it pays

    num_targets, num_nontargets = np.diff(curve.num_misses), -np.diff(curve.num_false_alarms)
    num_trials = num_targets + num_nontargets  # (P - 1,) of each distinct score
    posteriors = isotonic_regression(num_targets / num_trials, sample_weight=num_trials)
    with np.errstate(divide="ignore"):
        prior_odds = np.log(curve.num_targets / curve.num_nontargets)
        llrs = np.log(posteriors) - np.log1p(-posteriors) - prior_odds  # infinite where certain
    costs = _cost(-llrs, num_targets), _cost(llrs, num_nontargets)
    return sum(costs) / 2


def _cost(wrong_way: NDArray[Any], counts: NDArray[Any] | None = None) -> float:
    """Return the mean of log2(1 + exp(x)), each counted so often; what counts 0 costs nothing."""
    if counts is not None:
        wrong_way, counts = wrong_way[counts > 0], counts[counts > 0]
    return float(np.average(np.logaddexp(0, wrong_way), weights=counts) / np.log(2))
