"""Error counts against counting by hand, and the sort against numpy's."""

from __future__ import annotations

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duovox.metric.error_curve import ascending, error_curve, tie_starts

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(data=st.data())
def test_sort_equals_numpy_and_keeps_the_order_of_ties(dtype: type, data: st.DataObject) -> None:
    scores = data.draw(arrays.arrays(dtype, st.integers(0, 60), elements=finite))
    ordered, order = ascending(scores)
    assert ordered.dtype == dtype
    assert (ordered == np.sort(scores)).all()
    assert (order == np.argsort(scores, kind="stable")).all()


def test_minus_zero_and_zero_are_tied() -> None:
    ordered, order = ascending(np.array([0.0, -0.0, -1.0, 0.0]))
    assert order.tolist() == [2, 0, 1, 3]
    assert tie_starts(ordered).tolist() == [0, 1, 4]


def test_counts_equal_counting_at_every_threshold() -> None:
    generator = np.random.default_rng(3)
    scores = generator.integers(0, 12, 80) / 7
    labels = generator.integers(0, 2, 80)
    curve = error_curve(scores, labels)
    assert curve.thresholds.tolist() == [*np.unique(scores), np.inf]
    for point, threshold in enumerate(curve.thresholds):
        is_accepted = scores >= threshold
        assert curve.num_misses[point] == (~is_accepted & (labels == 1)).sum()
        assert curve.num_false_alarms[point] == (is_accepted & (labels == 0)).sum()
    assert (curve.miss_rates[-1], curve.false_alarm_rates[0]) == (1.0, 1.0)
