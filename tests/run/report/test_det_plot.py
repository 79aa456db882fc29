from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from matplotlib.figure import Figure

from duovox.metric.det import probit
from duovox.metric.eer import equal_error_rate
from duovox.metric.min_dcf import minimum_detection_cost
from duovox.run.report.canvas import LIGHT, render
from duovox.run.report.det_plot import PRIORS, det_plot
from duovox.run.report.score_plot import score_plot
from duovox.run.report.scores import ScoredTrials


def trials(scores: np.ndarray, is_target: np.ndarray, *, name: str = "list") -> ScoredTrials:
    keys = tuple(map(str, range(len(scores))))
    return ScoredTrials(
        name=name, enroll_keys=keys, test_keys=keys, scores=scores, is_target=is_target
    )


def normal_trials(num: int = 400, *, distance: float = 2.0, name: str = "list") -> ScoredTrials:
    is_target = np.arange(num) % 2 == 0
    scores = np.random.default_rng(0).normal(size=num) + distance * is_target
    return trials(scores, is_target, name=name)


def axes_of(*lists: ScoredTrials):
    plot = det_plot(lists)
    assert plot is not None
    axes = Figure().add_subplot()
    plot.draw(axes, LIGHT)
    return axes


def points(axes, marker: str) -> np.ndarray:
    """Return the places (N, 2) of the points drawn with a marker."""
    found = [line.get_xydata() for line in axes.lines if line.get_marker() == marker]
    return np.concatenate([np.asarray(place) for place in found if len(place)])


def test_the_dot_lies_at_the_equal_error_rate() -> None:
    scored = normal_trials()
    eer = equal_error_rate(scored.scores, scored.is_target).eer
    np.testing.assert_allclose(points(axes_of(scored), "o"), [[probit(np.array(eer))] * 2])


@pytest.mark.parametrize(("p_target", "marker"), PRIORS.items())
def test_the_operating_points_have_the_minimum_detection_cost(p_target: float, marker: str) -> None:
    scored = normal_trials(2000)
    axes = axes_of(scored)
    (place,) = points(axes, marker)
    false_alarm, miss = (
        0 if deviate <= axes.get_xlim()[0] + 1e-9 else NormalDist().cdf(deviate)  # on the border
        for deviate in place
    )
    cost = (p_target * miss + (1 - p_target) * false_alarm) / p_target
    expected = minimum_detection_cost(scored.scores, scored.is_target, p_target=p_target)
    assert cost == pytest.approx(expected)


def test_every_list_has_its_line_and_name() -> None:
    axes = axes_of(normal_trials(name="one"), normal_trials(distance=1, name="two"))
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names[0].startswith("one: EER ")
    assert names[1].startswith("two: EER ")
    assert names[2:] == ["EER", "minDCF(0.01)", "minDCF(0.05)"]


def test_lists_of_a_single_class_have_no_curve_but_a_histogram() -> None:
    single = trials(np.array([0.1, 0.2]), np.array([True, True]))
    assert det_plot([single]) is None
    assert render(score_plot(single), LIGHT)


def test_long_lists_are_drawn_with_few_points() -> None:
    axes = axes_of(normal_trials(200_000))
    assert max(len(line.get_xydata()) for line in axes.lines) < 2_000


IS_TARGET = np.arange(100) % 2 == 0


@pytest.mark.parametrize(
    "scores",
    [1.0 * IS_TARGET, -1.0 * IS_TARGET, np.zeros(100)],
    ids=["perfect", "reversed", "all the same"],
)
def test_extreme_scores_are_drawn(scores: np.ndarray) -> None:
    scored = trials(scores, IS_TARGET)
    plot = det_plot([scored])
    assert plot is not None
    assert render(plot, LIGHT)
    assert render(score_plot(scored), LIGHT)


def test_each_histogram_sums_to_all_trials_and_shows_the_threshold() -> None:
    scored = normal_trials()
    axes = Figure().add_subplot()
    score_plot(scored).draw(axes, LIGHT)
    shares = [patch.get_data().values.sum() for patch in axes.patches]
    np.testing.assert_allclose(shares, 100)
    threshold = equal_error_rate(scored.scores, scored.is_target).threshold
    assert axes.lines[0].get_xdata()[0] == pytest.approx(threshold)
