"""Whether long utterances are harder: WER against duration."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from duovox.metric.interval import error_rate_interval
from duovox.run.report.canvas import Ink, Plot
from duovox.run.report.curve import Array
from duovox.run.report.hypotheses import Hypothesis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MIN_UTTERANCES = 40  # in a bar; fewer say little
MAX_BARS = 8
MIN_SPREAD = 1.5  # 90th over 10th percentile of the durations


def length_plot(hypotheses: Sequence[Hypothesis]) -> Plot | None:
    """Return the plot, or None where durations hardly differ or utterances are few."""
    if len(hypotheses) < 2 * MIN_UTTERANCES:
        return None
    seconds = np.array([item.seconds for item in hypotheses])  # (N,)
    low, high = np.quantile(seconds, [0.1, 0.9])
    if high < MIN_SPREAD * low:
        return None
    num_bars = min(MAX_BARS, len(hypotheses) // MIN_UTTERANCES)
    edges = np.unique(np.quantile(seconds, np.linspace(0, 1, num_bars + 1), method="lower"))
    rates = _rates(hypotheses, np.searchsorted(edges[1:-1], seconds, side="right"))
    return Plot(
        name="wer_by_length",
        title="WER by duration",
        note=f"Each bar is the WER of about {len(hypotheses) // len(rates):,} utterances of "
        "similar duration; lines are 95 % bootstrap intervals.",
        draw=partial(_draw, edges=edges, rates=rates),
    )


def _rates(hypotheses: Sequence[Hypothesis], bars: NDArray[np.intp]) -> Array:
    """Return WER and the two ends of its interval, in percent, for each bar (bars, 3)."""
    num_errors = np.array([item.num_errors for item in hypotheses])  # (N,)
    num_words = np.array([item.num_words for item in hypotheses])
    rates = []
    for bar in range(bars.max() + 1):
        errors, words = num_errors[bars == bar], num_words[bars == bar]
        interval = error_rate_interval(errors, words)
        rates.append([errors.sum() / max(1, words.sum()), interval.low, interval.high])
    return 100 * np.array(rates)


def _draw(axes: Axes, ink: Ink, *, edges: Array, rates: Array) -> None:
    rate, low, high = rates.T
    axes.bar(
        edges[:-1],
        rate,
        width=np.diff(edges),
        align="edge",
        facecolor=(ink.speech, 0.3),
        edgecolor=ink.speech,
        linewidth=1.5,
    )
    axes.vlines((edges[:-1] + edges[1:]) / 2, low, high, color=ink.text, linewidth=1.2)
    axes.grid(visible=False, axis="x")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Duration (s)")
    axes.set_ylabel("WER (%)")
