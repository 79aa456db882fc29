"""Detection costs over all priors: where calibration holds, and what it could gain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from duovox.metric.actual_dcf import read_actual_cost
from duovox.metric.error_curve import error_curve
from duovox.metric.min_dcf import read_detection_cost
from duovox.metric.trial_scores import Labels, Scores


@dataclass(frozen=True, slots=True, kw_only=True)
class BayesErrorCurve:
    """Normalised detection costs at P priors, both errors costing 1."""

    prior_log_odds: NDArray[np.float64]  # (P,) log(p / (1 - p)), ascending
    actual: NDArray[np.float64]  # (P,)
    minimum: NDArray[np.float64]  # (P,)


def bayes_error_curve(
    llrs: Scores, labels: Labels, *, widest: float = 7.0, num_points: int = 141
) -> BayesErrorCurve:
    """Return actual and minimum costs for prior log-odds from -widest to widest.

    Source: Brummer & de Villiers 2011, "The BOSARIS toolkit", normalised Bayes error-rate plots.
    """
    curve = error_curve(llrs, labels)
    log_odds = np.linspace(-widest, widest, num_points)
    priors = 1 / (1 + np.exp(-log_odds))
    return BayesErrorCurve(
        prior_log_odds=log_odds,
        actual=np.array([read_actual_cost(curve, p_target=p) for p in priors]),
        minimum=np.array([read_detection_cost(curve, p_target=p) for p in priors]),
    )
