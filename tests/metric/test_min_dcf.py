"""The minimum detection cost against brute force, speechbrain, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from duovox.metric.min_dcf import minimum_detection_cost

score = st.one_of(st.integers(-3, 3).map(float), st.floats(-1, 1, width=32))


@given(
    st.lists(st.tuples(score, st.booleans()), min_size=2, max_size=40),
    st.sampled_from([0.001, 0.01, 0.05, 0.5, 0.9]),
    st.sampled_from([1.0, 10.0]),
)
def test_cost_equals_brute_force(
    scored: list[tuple[float, bool]], p_target: float, c_miss: float
) -> None:
    scores, labels = np.array([s for s, _ in scored]), np.array([y for _, y in scored])
    assume(0 < labels.sum() < len(labels))
    costs = [
        c_miss * p_target * (scores[labels] < threshold).mean()
        + (1 - p_target) * (scores[~labels] >= threshold).mean()
        for threshold in [*scores, np.inf]
    ]
    expected = min(costs) / min(c_miss * p_target, 1 - p_target)
    found = minimum_detection_cost(scores, labels, p_target=p_target, c_miss=c_miss)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("p_target", [0.01, 0.05])
def test_cost_equals_speechbrain_times_the_normaliser(p_target: float) -> None:
    from speechbrain.utils.metric_stats import minDCF

    targets, nontargets = torch.randn(200) + 2, torch.randn(300)
    expected, _ = minDCF(targets, nontargets, p_target=p_target)
    scores, labels = torch.cat([targets, nontargets]), [1] * 200 + [0] * 300
    found = minimum_detection_cost(scores, labels, p_target=p_target)
    assert found == pytest.approx(expected / p_target, rel=1e-5)


def test_cost_of_perfect_useless_and_hand_worked_scores() -> None:
    assert minimum_detection_cost([0.1, 0.9], [0, 1]) == 0.0
    assert minimum_detection_cost([0.5, 0.5], [0, 1]) == 1.0
    # Reject the target at 0.2 and accept nothing false: FNR 1/2, FPR 0.
    assert minimum_detection_cost([0.2, 0.9, 0.3, 0.1], [1, 1, 0, 0], 0.05) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"p_target": 0.0}, "p_target must lie in"), ({"c_fa": 0.0}, "c_fa must be above 0")],
)
def test_a_meaningless_setting_is_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        minimum_detection_cost([0.1, 0.9], [0, 1], **settings)
