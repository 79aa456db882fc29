"""The DET curve against scikit-learn, and its axes."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.metric.det import AXIS_TICKS, det_curve, probit


def test_the_curve_has_scikit_learn_s_shape() -> None:
    from sklearn.metrics import det_curve as reference

    generator = np.random.default_rng(2)
    labels = generator.random(500) < 0.5
    scores = np.round(generator.standard_normal(500) + labels, 1)
    ours = det_curve(scores, labels)
    alarms, misses, thresholds = reference(labels, scores)
    ours_at = np.interp(thresholds, ours.thresholds[:-1], ours.miss_rates[:-1])
    kept = np.isin(thresholds, ours.thresholds)
    assert kept.sum() > 10
    np.testing.assert_allclose(ours_at[kept], misses[kept])
    assert set(np.round(ours.false_alarm_rates, 9)) <= {*np.round(alarms, 9), 0.0, 1.0}


def test_points_on_a_straight_line_are_left_out() -> None:
    curve = det_curve(np.arange(100.0), np.arange(100) >= 50)
    assert curve.miss_rates.tolist() == [0.0, 0.0, 0.98, 1.0]
    assert curve.false_alarm_rates.tolist() == [1.0, 0.0, 0.0, 0.0]


def test_probit_is_the_normal_quantile_and_finite_at_the_ends() -> None:
    from statistics import NormalDist

    rates = np.array([*AXIS_TICKS, 0.5])
    assert probit(rates) == pytest.approx([NormalDist().inv_cdf(rate) for rate in rates])
    assert np.isfinite(probit(np.array([0.0, 1.0]))).all()
