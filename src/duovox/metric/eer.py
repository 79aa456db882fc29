"""Equal error rate: the error where misses and false alarms are equally frequent."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from duovox.metric.error_curve import ErrorCurve, error_curve
from duovox.metric.trial_scores import Labels, Scores

EerStyle: TypeAlias = Literal["interpolated", "voxceleb_trainer", "nist"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualErrorRate:
    """An error rate in [0, 1] and the score from which on trials are accepted."""

    eer: float
    threshold: float


def equal_error_rate(
    scores: Scores, labels: Labels, *, style: EerStyle = "interpolated"
) -> EqualErrorRate:
    """Return the equal error rate of scored trials.

    Args:
        scores: (N,) higher = more alike.
        labels: (N,) 1 = same speaker, 0 = different speakers.
        style: how the crossing is read. "interpolated" (the headline): on the straight line between
            the two points around it, tied scores being one point. "nist": the same, but tied trials
            are counted one by one, targets first. "voxceleb_trainer": at the point nearest to the
            crossing among the corners of the ROC, the larger of the two errors.
    """
    return read_eer(error_curve(scores, labels), style=style)


def read_eer(curve: ErrorCurve, *, style: EerStyle = "interpolated") -> EqualErrorRate:
    """Return the equal error rate of a curve, see `equal_error_rate`."""
    if style == "interpolated":
        return _interpolated(curve)
    if style == "nist":
        return _nist(curve)
    if style == "voxceleb_trainer":
        return _voxceleb_trainer(curve)
    raise ValueError(f"eer style must be one of {get_args(EerStyle)}, got {style!r}")


def crossing(misses: NDArray[np.float64], alarms: NDArray[np.float64]) -> tuple[float, float]:
    """Return where two points' line has as many misses as alarms, and how far along that is.

    Args:
        misses: (2,) miss rates of the points.
        alarms: (2,) false alarm rates: above the first point's misses, not above the second's.
    """
    gaps = alarms - misses
    share = gaps[0] / (gaps[0] - gaps[1])
    return float(misses[0] + share * (misses[1] - misses[0])), float(share)


def corners(curve: ErrorCurve) -> NDArray[np.int64]:
    """Return the points where the curve turns, which are all that its shape needs.

    The highest score counts as a corner, as in scikit-learn's roc_curve.
    """
    misses, alarms = np.diff(curve.num_misses, 2), np.diff(curve.num_false_alarms, 2)
    is_corner = np.concatenate([[True], (misses != 0) | (alarms != 0), [True]])
    is_corner[-2] = True
    return np.flatnonzero(is_corner)


def _interpolated(curve: ErrorCurve) -> EqualErrorRate:
    after = _first_after(curve)
    around = [after - 1, after]
    eer, share = crossing(
        curve.num_misses[around] / curve.num_targets,
        curve.num_false_alarms[around] / curve.num_nontargets,
    )
    return EqualErrorRate(eer=eer, threshold=_threshold(curve, after, share))


def _nist(curve: ErrorCurve) -> EqualErrorRate:
    """Walk up the misses of tied trials, then down their false alarms: a staircase."""
    after = _first_after(curve)
    misses = curve.num_misses[after] / curve.num_targets
    alarms = curve.num_false_alarms[after - 1] / curve.num_nontargets
    eer = min(misses, alarms)
    return EqualErrorRate(eer=float(eer), threshold=_threshold(curve, after, 1.0))


def _voxceleb_trainer(curve: ErrorCurve) -> EqualErrorRate:
    points = corners(curve)[::-1]  # from the highest threshold down, as the ROC is walked
    misses, alarms = curve.miss_rates[points], curve.false_alarm_rates[points]
    nearest = int(np.argmin(np.abs(misses - alarms)))
    return EqualErrorRate(
        eer=float(max(misses[nearest], alarms[nearest])),
        threshold=_threshold(curve, int(points[nearest]), 1.0),
    )


def _first_after(curve: ErrorCurve) -> int:
    """Return the first point with at least as many misses as false alarms; never the first."""
    misses, alarms = curve.num_misses, curve.num_false_alarms

    def is_after(point: int) -> bool:
        rates = misses[point] * curve.num_nontargets, alarms[point] * curve.num_targets
        return bool(rates[0] >= rates[1])

    return bisect_left(range(len(misses)), True, key=is_after)


def _threshold(curve: ErrorCurve, after: int, share: float) -> float:
    """Return the point `share` of the way to a threshold; the highest score instead of infinity."""
    before, beyond = curve.thresholds[after - 1], curve.thresholds[after]
    return float(before if np.isinf(beyond) else before + share * (beyond - before))
