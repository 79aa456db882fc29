"""Logistic fusion against scikit-learn, and what it must leave alone or refuse."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from duovox.metric.cllr import cllr, minimum_cllr
from duovox.metric.fusion import fit_fusion


def scored(num_trials: int, num_systems: int, seed: int) -> tuple[NDArray[np.float64], ...]:
    """Return scores (N, S) of systems that err together in part, and labels (N,)."""
    generator = np.random.default_rng(seed)
    labels = (generator.random(num_trials) < 0.3).astype(int)
    shared = generator.standard_normal((num_trials, 1))
    own = generator.standard_normal((num_trials, num_systems))
    scales = 10.0 ** generator.integers(-2, 3, num_systems)
    scores = (labels[:, None] + 0.5 * shared + 0.7 * own) * scales + generator.normal(0, 5)
    return scores, labels


def sklearn_fusion(
    scores: NDArray[np.float64], labels: NDArray[np.int64], p_target: float
) -> tuple[NDArray[np.float64], float]:
    from sklearn.linear_model import LogisticRegression

    spreads = scores.std(axis=0)
    shares = np.where(labels, p_target / labels.sum(), (1 - p_target) / (1 - labels).sum())
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    model.fit(scores / spreads, labels, sample_weight=shares * len(labels))
    return model.coef_[0] / spreads, model.intercept_[0] - math.log(p_target / (1 - p_target))


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 3), st.sampled_from([0.01, 0.05, 0.5, 0.9]), st.integers(0, 1000))
def test_equals_scikit_learn(num_systems: int, p_target: float, seed: int) -> None:
    scores, labels = scored(300, num_systems, seed)
    weights, offset = sklearn_fusion(scores, labels, p_target)
    found = fit_fusion(scores, labels, p_target=p_target)
    np.testing.assert_allclose(found.llrs(scores), scores @ weights + offset, atol=1e-3)


def test_ratios_that_are_calibrated_stay_as_they_are() -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(400_000) % 2
    llrs = 2 * generator.normal(np.where(labels, 1, -1))
    found = fit_fusion(llrs[:, None], labels, p_target=0.5)
    assert found.weights[0] == pytest.approx(1, abs=0.01)
    assert found.offset == pytest.approx(0, abs=0.02)


def test_the_scale_of_a_system_does_not_matter() -> None:
    scores, labels = scored(500, 2, seed=3)
    found = fit_fusion(scores * np.array([1e-3, 1e4]) + 7, labels)
    expected = fit_fusion(scores, labels).llrs(scores)
    np.testing.assert_allclose(
        found.llrs(scores * np.array([1e-3, 1e4]) + 7), expected, rtol=1e-5, atol=1e-5
    )


def test_a_second_opinion_helps_and_an_echo_changes_nothing() -> None:
    scores, labels = scored(4000, 2, seed=4)
    alone, both = (fit_fusion(s, labels, p_target=0.5) for s in (scores[:, :1], scores))
    assert cllr(both.llrs(scores), labels) < cllr(alone.llrs(scores[:, :1]), labels) - 0.03
    echo = np.repeat(scores[:, :1], 2, axis=1)
    found = fit_fusion(echo, labels, p_target=0.5)
    assert found.weights[0] == pytest.approx(found.weights[1])
    np.testing.assert_allclose(found.llrs(echo), alone.llrs(scores[:, :1]), atol=1e-5)


def test_calibration_comes_close_to_the_minimum_where_scores_are_normal() -> None:
    scores, labels = scored(20_000, 1, seed=5)
    llrs = fit_fusion(scores, labels, p_target=0.5).llrs(scores)
    assert cllr(llrs, labels) == pytest.approx(minimum_cllr(scores[:, 0], labels), abs=5e-3)


def test_repeating_the_trials_of_one_class_changes_nothing() -> None:
    scores, labels = scored(400, 1, seed=6)
    copies = np.where(labels, 1, 5)
    found = fit_fusion(np.repeat(scores, copies, axis=0), np.repeat(labels, copies))
    expected = fit_fusion(scores, labels)
    assert found.weights == pytest.approx(expected.weights, rel=1e-5)
    assert found.offset == pytest.approx(expected.offset, rel=1e-5)


@pytest.mark.parametrize("targets", [(0.9, 0.8), (0.0, -1.0), (0.5, 0.6)])
def test_scores_without_an_error_are_refused(targets: tuple[float, float]) -> None:
    scores = np.array([*targets, 0.5, 0.1])[:, None]
    with pytest.raises(ValueError, match="4 trials are told apart without an error"):
        fit_fusion(scores, [1, 1, 0, 0])


@pytest.mark.parametrize(
    ("scores", "p_target", "message"),
    [
        ([[0.5], [0.5], [0.5]], 0.01, r"system 1 gives every trial the score 0\.5"),
        ([[0.1, math.nan], [0.2, 0.3], [0.3, 0.2]], 0.01, "every score must be finite, got nan"),
        ([[0.1], [0.2], [0.3]], 1.0, r"p_target must lie in \(0, 1\), got 1"),
    ],
)
def test_unusable_scores_are_refused(
    scores: list[list[float]], p_target: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fit_fusion(scores, [1, 0, 1], p_target=p_target)
