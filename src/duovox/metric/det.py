"""Detection error trade-off: misses against false alarms, for plots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from duovox.metric.eer import corners
from duovox.metric.error_curve import ErrorCurve, error_curve
from duovox.metric.trial_scores import Labels, Scores

AXIS_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4)  # rates usual on DET axes
_SMALLEST_RATE = 1e-5  # 0 and 1 lie at infinity on a probit axis


@dataclass(frozen=True, slots=True, kw_only=True)
class DetCurve:
    """The corners of a DET curve, from accepting all to rejecting all."""

    thresholds: NDArray[np.floating[Any]]  # (P,) ascending; the last is infinity
    miss_rates: NDArray[np.float64]  # (P,) from 0 to 1
    false_alarm_rates: NDArray[np.float64]  # (P,) from 1 to 0


def det_curve(scores: Scores, labels: Labels) -> DetCurve:
    """Return the DET curve of scored trials; points on a straight line are left out."""
    return read_det_curve(error_curve(scores, labels))


def read_det_curve(curve: ErrorCurve) -> DetCurve:
    """Return the DET curve of an error curve."""
    points = corners(curve)
    return DetCurve(
        thresholds=curve.thresholds[points],
        miss_rates=curve.miss_rates[points],
        false_alarm_rates=curve.false_alarm_rates[points],
    )


def probit(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return where rates lie on a DET axis: normal deviates, on which normal scores are a line."""
    clipped = np.clip(rates, _SMALLEST_RATE, 1 - _SMALLEST_RATE)
    deviates: NDArray[np.float64] = torch.special.ndtri(torch.as_tensor(clipped)).numpy()
    return deviates
