from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from duovox.run.report.canvas import LIGHT
from duovox.run.report.hypotheses import Hypothesis
from duovox.run.report.length_plot import length_plot


def utterance(seconds: float, *, num_errors: int = 0) -> Hypothesis:
    return Hypothesis(
        set_name="test",
        key="k",
        reference="A B C D",
        hypothesis="",
        wer=num_errors / 4,
        num_samples=round(16_000 * seconds),
    )


def test_bars_show_the_common_wer_of_utterances_of_similar_duration() -> None:
    short = [utterance(1 + i / 1000, num_errors=i % 2) for i in range(40)]
    long = [utterance(5 + i / 1000, num_errors=2) for i in range(41)]
    plot = length_plot([*long, *short])
    assert plot is not None
    axes = Figure().add_subplot()
    plot.draw(axes, LIGHT)
    heights = [bar.get_height() for bar in axes.patches]
    assert heights == pytest.approx([12.5, 50])


def test_durations_that_hardly_differ_have_no_plot() -> None:
    assert length_plot([utterance(1 + i / 1000) for i in range(200)]) is None


def test_few_utterances_have_no_plot() -> None:
    assert length_plot([utterance(1.0 + i) for i in range(50)]) is None


def test_many_equal_durations_leave_no_bar_empty() -> None:
    plot = length_plot([*[utterance(1.0)] * 300, *[utterance(2.0)] * 200, utterance(3.0)])
    assert plot is not None
    axes = Figure().add_subplot()
    plot.draw(axes, LIGHT)
    assert np.isfinite([bar.get_height() for bar in axes.patches]).all()
