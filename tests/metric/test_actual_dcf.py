"""The actual detection cost against counting decisions."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from duovox.metric.actual_dcf import actual_detection_cost
from duovox.metric.min_dcf import minimum_detection_cost

trials = st.lists(
    st.tuples(st.one_of(st.integers(-5, 5).map(float), st.floats(-9, 9)), st.booleans()),
    min_size=2,
    max_size=40,
)


def decided(
    llrs: list[float], labels: list[bool], p_target: float, c_miss: float, c_fa: float
) -> float:
    """Take each decision on its own and add up the prices."""
    threshold = math.log(c_fa * (1 - p_target) / (c_miss * p_target))
    targets = [llr for llr, label in zip(llrs, labels, strict=True) if label]
    others = [llr for llr, label in zip(llrs, labels, strict=True) if not label]
    misses = sum(llr < threshold for llr in targets) / len(targets)
    alarms = sum(llr >= threshold for llr in others) / len(others)
    prices = c_miss * p_target, c_fa * (1 - p_target)
    return (prices[0] * misses + prices[1] * alarms) / min(prices)


@given(trials, st.sampled_from([0.01, 0.05, 0.5, 0.9]), st.sampled_from([1.0, 10.0]))
def test_equals_counting_decisions(
    scored: list[tuple[float, bool]], p_target: float, c_miss: float
) -> None:
    llrs, labels = [s for s, _ in scored], [label for _, label in scored]
    assume(0 < sum(labels) < len(labels))
    found = actual_detection_cost(llrs, labels, p_target, c_miss=c_miss, c_fa=2)
    assert found == pytest.approx(decided(llrs, labels, p_target, c_miss, 2))
    assert found >= minimum_detection_cost(llrs, labels, p_target, c_miss=c_miss, c_fa=2) - 1e-12


def test_a_hand_worked_value() -> None:
    # p = 0.2: accepted from log 4 = 1.39 on; one of two targets missed, one of two others accepted
    assert actual_detection_cost([1.0, 2.0, 1.5, -3.0], [1, 1, 0, 0], 0.2) == pytest.approx(
        (0.2 * 0.5 + 0.8 * 0.5) / 0.2
    )


def test_scores_that_reject_all_cost_as_much_as_no_system() -> None:
    assert actual_detection_cost([-9, -9.5], [1, 0], 0.01) == pytest.approx(1)


def test_a_prior_outside_its_range_is_refused() -> None:
    with pytest.raises(ValueError, match=r"p_target must lie in \(0, 1\), got 1"):
        actual_detection_cost([0.1, 0.2], [0, 1], 1)
