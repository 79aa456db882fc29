"""The costs at every prior are those at each prior alone."""

from __future__ import annotations

import numpy as np
import pytest

from duovox.metric.actual_dcf import actual_detection_cost
from duovox.metric.bayes_error import bayes_error_curve
from duovox.metric.min_dcf import minimum_detection_cost


def test_each_point_is_the_cost_at_its_prior() -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(300) % 3 == 0
    llrs = 3 * generator.normal(np.where(labels, 1, -1))
    curve = bayes_error_curve(llrs, labels, widest=4, num_points=9)
    assert curve.prior_log_odds.tolist() == list(range(-4, 5))
    for place, log_odds in enumerate(curve.prior_log_odds):
        prior = 1 / (1 + np.exp(-log_odds))
        assert curve.actual[place] == pytest.approx(actual_detection_cost(llrs, labels, prior))
        assert curve.minimum[place] == pytest.approx(minimum_detection_cost(llrs, labels, prior))
