"""Actual detection cost: what is paid at the threshold that calibrated scores promise is best."""

from __future__ import annotations

import math

import numpy as np

from duovox.metric.error_curve import ErrorCurve, error_curve
from duovox.metric.min_dcf import detection_costs
from duovox.metric.trial_scores import Labels, Scores


def actual_detection_cost(
    llrs: Scores, labels: Labels, p_target: float = 0.01, *, c_miss: float = 1, c_fa: float = 1
) -> float:
    """Return the detection cost of accepting where the costs ask for it, normalised.

    A log-likelihood ratio is accepted from log(c_fa (1 - p) / (c_miss p)) on. Normalised
    as the minimum is, which it reaches where the scores are well calibrated.

    Args:
        llrs: (N,) natural log-likelihood ratios, target to non-target.
        labels: (N,) 1 = same speaker, 0 = different speakers.
        p_target: assumed share of target trials, in (0, 1).
        c_miss: cost of a miss.
        c_fa: cost of a false alarm.

    Source: Brummer & du Preez 2006, "Application-independent evaluation of speaker detection".
    """
    curve = error_curve(llrs, labels)
    return read_actual_cost(curve, p_target=p_target, c_miss=c_miss, c_fa=c_fa)


def read_actual_cost(
    curve: ErrorCurve, *, p_target: float = 0.01, c_miss: float = 1, c_fa: float = 1
) -> float:
    """Return the actual detection cost of a curve over log-likelihood ratios, see above."""
    costs = detection_costs(
        curve.miss_rates, curve.false_alarm_rates, p_target=p_target, c_miss=c_miss, c_fa=c_fa
    )
    threshold = math.log(c_fa * (1 - p_target) / (c_miss * p_target))
    return float(costs[np.searchsorted(curve.thresholds, threshold)])  # the first at or above it
