"""Minimum detection cost: the cheapest threshold when targets are rare."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from duovox.metric.error_curve import ErrorCurve, error_curve
from duovox.metric.trial_scores import Labels, Scores


def minimum_detection_cost(
    scores: Scores, labels: Labels, p_target: float = 0.01, *, c_miss: float = 1, c_fa: float = 1
) -> float:
    """Return the smallest detection cost over all thresholds, normalised.

    cost(t) = c_miss p FNR(t) + c_fa (1 - p) FPR(t), divided by the cost of the better of "accept
    all" and "reject all": 1 means that the scores are of no use.

    Args:
        scores: (N,) higher = more alike.
        labels: (N,) 1 = same speaker, 0 = different speakers.
        p_target: assumed share of target trials, in (0, 1).
        c_miss: cost of a miss.
        c_fa: cost of a false alarm.

    Source: NIST SRE evaluation plans.
    """
    curve = error_curve(scores, labels)
    return read_detection_cost(curve, p_target=p_target, c_miss=c_miss, c_fa=c_fa)


def read_detection_cost(
    curve: ErrorCurve, *, p_target: float = 0.01, c_miss: float = 1, c_fa: float = 1
) -> float:
    """Return the minimum detection cost of a curve, see `minimum_detection_cost`."""
    return lowest_cost(
        curve.miss_rates, curve.false_alarm_rates, p_target=p_target, c_miss=c_miss, c_fa=c_fa
    )


def lowest_cost(
    miss_rates: NDArray[np.float64],
    false_alarm_rates: NDArray[np.float64],
    *,
    p_target: float,
    c_miss: float = 1,
    c_fa: float = 1,
) -> float:
    """Return the minimum detection cost from the two rates at each threshold (P,)."""
    costs = detection_costs(
        miss_rates, false_alarm_rates, p_target=p_target, c_miss=c_miss, c_fa=c_fa
    )
    return float(costs.min())


def detection_costs(
    miss_rates: NDArray[np.float64],
    false_alarm_rates: NDArray[np.float64],
    *,
    p_target: float,
    c_miss: float = 1,
    c_fa: float = 1,
) -> NDArray[np.float64]:
    """Return the normalised detection cost at each threshold (P,) from the two rates there (P,)."""
    if not 0 < p_target < 1:
        raise ValueError(f"p_target must lie in (0, 1), got {p_target}")
    if c_miss <= 0 or c_fa <= 0:
        raise ValueError(f"c_miss and c_fa must be above 0, got {c_miss} and {c_fa}")
    miss_price, false_alarm_price = c_miss * p_target, c_fa * (1 - p_target)
    costs = miss_price * miss_rates + false_alarm_price * false_alarm_rates
    return costs / min(miss_price, false_alarm_price)
