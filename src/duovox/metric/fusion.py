"""Logistic fusion: from the scores of one system or several to one log-likelihood ratio.

With one system this is linear calibration. Nothing but scores is used: no qualities of the audio.

Source: Brummer & du Preez 2006, "Application-independent evaluation of speaker detection";
Brummer et al. 2007, "Fusion of heterogeneous speaker recognition systems in the STBU submission",
section 4 (the prior-weighted objective).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from duovox.metric.trial_scores import Labels, checked

_MOST_STEPS = 100  # of Newton; ten are usual
_SMALLEST_GAIN = 1e-14  # of a step, in an objective of about 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticFusion:
    """log-likelihood ratio = weights . scores + offset."""

    weights: tuple[float, ...]  # S; one below 0 takes off what another system says twice
    offset: float

    def llrs(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (N,) natural log-likelihood ratios of the scores (N, S) of S systems."""
        return np.asarray(scores @ np.array(self.weights) + self.offset)


def fit_fusion(
    scores: NDArray[np.float64] | Sequence[Sequence[float]],
    labels: Labels,
    *,
    p_target: float = 0.01,
) -> LogisticFusion:
    """Return the weights and the offset with the lowest prior-weighted cross-entropy.

    Args:
        scores: (N, S) of S systems on the same N trials; higher = more alike.
        labels: (N,) 1 = same speaker, 0 = different speakers.
        p_target: share of targets where decisions will be taken, in (0, 1): targets count so much
            together, non-targets the rest, however many there are of either.

    Raises:
        ValueError: scores or labels are not usable, a system gives all trials one score, or the
            fused scores separate the classes without an error, so that no weight is large enough.
    """
    if not 0 < p_target < 1:
        raise ValueError(f"p_target must lie in (0, 1), got {p_target}")
    columns = np.asarray(scores, np.float64)
    for column in columns.T:
        _, is_target = checked(column, labels)
    with np.errstate(over="ignore", invalid="ignore"):
        means, spreads = columns.mean(axis=0), columns.std(axis=0)
    if not np.isfinite(spreads).all():
        first = int(np.argmin(np.isfinite(spreads)))
        raise ValueError(f"the scores of system {first + 1} are too large to compute with")
    if (spreads == 0).any():
        first = int(np.argmin(spreads))
        raise ValueError(f"system {first + 1} gives every trial the score {columns[0, first]}")
    standard = (columns - means) / spreads  # steps of like size for systems of any scale
    inputs = np.column_stack([standard, np.ones(len(columns))])  # (N, S + 1)
    solution = _newton(inputs, is_target, p_target)
    _check_overlap(inputs @ solution, is_target)
    weights = solution[:-1] / spreads
    return LogisticFusion(
        weights=tuple(weights.tolist()), offset=float(solution[-1] - weights @ means)
    )


def _newton(
    inputs: NDArray[np.float64], is_target: NDArray[np.bool_], p_target: float
) -> NDArray[np.float64]:
    """Return what minimises the weighted mean of log(1 + exp(-y (inputs . x + prior log-odds)))."""
    sign = np.where(is_target, 1.0, -1.0)
    shares = np.where(is_target, p_target / is_target.sum(), (1 - p_target) / (~is_target).sum())
    log_odds = math.log(p_target / (1 - p_target))

    def objective(x: NDArray[np.float64]) -> float:
        return float(shares @ np.logaddexp(0, -sign * (inputs @ x + log_odds)))

    x = np.zeros(inputs.shape[1])
    value = objective(x)
    for _ in range(_MOST_STEPS):
        wrong = (1 - np.tanh(sign * (inputs @ x + log_odds) / 2)) / 2  # (N,) p of the other class
        gradient = -inputs.T @ (shares * sign * wrong)
        curvature = (inputs * (shares * wrong * (1 - wrong))[:, None]).T @ inputs
        # the shortest step: equal systems share it
        step = np.linalg.lstsq(curvature, gradient, rcond=None)[0]
        while (lower := objective(x - step)) > value:  # too far: the curve is flatter there
            step /= 2
        gain, value, x = value - lower, lower, x - step
        if gain <= _SMALLEST_GAIN:
            break
    return x


def _check_overlap(llrs: NDArray[np.float64], is_target: NDArray[np.bool_]) -> None:
    if llrs[is_target].min() >= llrs[~is_target].max():
        raise ValueError(
            f"these {len(llrs)} trials are told apart without an error, so their scores can't be "
            "calibrated: any larger scale fits better. Take more trials, or harder ones"
        )
