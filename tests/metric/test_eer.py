"""The equal error rate against brute force, scikit-learn, speechbrain, and by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from duovox.metric.eer import equal_error_rate

tied_score = st.integers(-4, 4).map(lambda number: number / 4)
smooth_score = st.floats(-1, 1, width=32)
trials = st.one_of(
    st.lists(st.tuples(tied_score, st.booleans()), min_size=2, max_size=40),
    st.lists(st.tuples(smooth_score, st.booleans()), min_size=2, max_size=40),
)


def both_classes(scored: list[tuple[float, bool]]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    scores, labels = (
        np.array([s for s, _ in scored]),
        np.array([is_target for _, is_target in scored]),
    )
    assume(0 < labels.sum() < len(labels))
    return scores, labels


def rates_at(
    scores: NDArray[np.float64], labels: NDArray[np.bool_], threshold: float
) -> tuple[float, float]:
    return float((scores[labels] < threshold).mean()), float((scores[~labels] >= threshold).mean())


def brute_force_eer(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Walk over every pair of neighbouring thresholds until the line between them crosses."""
    points = [rates_at(scores, labels, t) for t in [*np.unique(scores), np.inf]]
    for (miss_a, alarm_a), (miss_b, alarm_b) in itertools.pairwise(points):
        if miss_b >= alarm_b:
            share = (alarm_a - miss_a) / ((alarm_a - miss_a) + (miss_b - alarm_b))
            return miss_a + share * (miss_b - miss_a)
    raise AssertionError("the curve must cross")


def one_by_one_eer(scores: NDArray[np.float64], labels: NDArray[np.bool_]) -> float:
    """Reject one trial after another, targets first among equals, and interpolate."""
    order = sorted(range(len(scores)), key=lambda trial: (scores[trial], not labels[trial]))
    misses = np.cumsum([0, *labels[order]]) / labels.sum()
    alarms = 1 - np.cumsum([0, *~labels[order]]) / (~labels).sum()
    after = np.flatnonzero(misses >= alarms - 1e-12)[0]
    gap = alarms - misses
    share = gap[after - 1] / (gap[after - 1] - gap[after])
    return float(misses[after - 1] + share * (misses[after] - misses[after - 1]))


@given(trials)
def test_interpolated_equals_brute_force(scored: list[tuple[float, bool]]) -> None:
    scores, labels = both_classes(scored)
    assert equal_error_rate(scores, labels).eer == pytest.approx(brute_force_eer(scores, labels))


@given(trials)
def test_interpolated_equals_the_root_on_scikit_learn_s_curve(
    scored: list[tuple[float, bool]],
) -> None:
    from scipy.optimize import brentq
    from sklearn.metrics import roc_curve

    scores, labels = both_classes(scored)
    alarms, hits, _ = roc_curve(labels, scores, drop_intermediate=False)
    distance = np.concatenate([[0], np.cumsum(np.abs(np.diff(alarms)) + np.abs(np.diff(hits)))])
    root = brentq(lambda d: 1 - np.interp(d, distance, hits) - np.interp(d, distance, alarms), 0, 2)
    expected = np.interp(root, distance, alarms)
    assert equal_error_rate(scores, labels).eer == pytest.approx(expected, abs=1e-9)


@given(trials)
def test_nist_equals_counting_trials_one_by_one(scored: list[tuple[float, bool]]) -> None:
    scores, labels = both_classes(scored)
    eer = equal_error_rate(scores, labels, style="nist").eer
    assert eer == pytest.approx(one_by_one_eer(scores, labels))


@given(trials)
def test_voxceleb_trainer_equals_its_rule_on_scikit_learn_s_curve(
    scored: list[tuple[float, bool]],
) -> None:
    from sklearn.metrics import roc_curve

    scores, labels = both_classes(scored)
    alarms, hits, thresholds = roc_curve(labels, scores)
    gaps = np.abs((1 - hits) - alarms)
    found = equal_error_rate(scores, labels, style="voxceleb_trainer")
    nearest = np.flatnonzero(gaps <= gaps.min() + 1e-12)
    expected = np.maximum(alarms, 1 - hits)[nearest]
    assert np.isclose(expected, found.eer).any()
    if len(nearest) == 1 and np.isfinite(thresholds[nearest[0]]):
        assert found.threshold == pytest.approx(thresholds[nearest[0]])


def test_all_styles_are_near_speechbrain_on_many_distinct_scores() -> None:
    from speechbrain.utils.metric_stats import EER

    targets, nontargets = torch.randn(300) + 2, torch.randn(400)
    expected, threshold = EER(targets, nontargets)
    scores, labels = torch.cat([targets, nontargets]), [1] * 300 + [0] * 400
    for style in ("interpolated", "nist", "voxceleb_trainer"):
        found = equal_error_rate(scores, labels, style=style)  # type: ignore[arg-type]
        assert found.eer == pytest.approx(expected, abs=1 / 300)
        assert found.threshold == pytest.approx(threshold, abs=0.05)


@pytest.mark.parametrize("style", ["interpolated", "nist", "voxceleb_trainer"])
def test_the_threshold_gives_the_rate(style: str) -> None:
    generator = np.random.default_rng(5)
    labels = generator.random(2000) < 0.4
    scores = generator.standard_normal(2000) + labels
    found = equal_error_rate(scores, labels, style=style)  # type: ignore[arg-type]
    assert rates_at(scores, labels, found.threshold) == pytest.approx((found.eer,) * 2, abs=2e-3)


@pytest.mark.parametrize(
    ("style", "eer"), [("interpolated", 0.5), ("nist", 1.0), ("voxceleb_trainer", 1.0)]
)
def test_scores_that_are_all_equal(style: str, eer: float) -> None:
    found = equal_error_rate([0.3] * 5, [1, 0, 1, 0, 0], style=style)  # type: ignore[arg-type]
    assert (found.eer, found.threshold) == (eer, 0.3)


@pytest.mark.parametrize("style", ["interpolated", "nist", "voxceleb_trainer"])
def test_perfect_and_reversed_labels(style: str) -> None:
    scores = [0.1, 0.2, 0.8, 0.9]
    perfect = equal_error_rate(scores, [0, 0, 1, 1], style=style)  # type: ignore[arg-type]
    assert (perfect.eer, perfect.threshold) == (0.0, 0.8)
    assert equal_error_rate(scores, [1, 1, 0, 0], style=style).eer == 1.0  # type: ignore[arg-type]


def test_a_hand_worked_crossing_between_two_points() -> None:
    # At 0.5 one of two targets and one of three non-targets are tied: (0, 2/3) -> (1/2, 1/3).
    found = equal_error_rate([0.5, 0.9, 0.5, 0.7, 0.1], [1, 1, 0, 0, 0])
    assert found.eer == pytest.approx(0.4)
    assert found.threshold == pytest.approx(0.5 + 0.8 * 0.2)


def test_an_unknown_style_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"one of \('interpolated', 'voxceleb_trainer', 'nist'\)"):
        equal_error_rate([0.1, 0.2], [0, 1], style="wespeaker")  # type: ignore[arg-type]
