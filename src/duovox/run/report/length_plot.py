"""Whether long utterances are harder: WER against duration."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from duovox.run.report.canvas import Ink, Plot
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
    edges = np.unique(np.quantile(seconds, np.linspace(0, 1, num_bars + 1)))
    bars = np.clip(np.searchsorted(edges, seconds, side="right") - 1, 0, len(edges) - 2)  # (N,)
    count = partial(np.bincount, bars, minlength=len(edges) - 1)
    num_errors = count(weights=[item.num_errors for item in hypotheses])
    num_words = count(weights=[item.num_words for item in hypotheses])
    rates = 100 * num_errors / np.maximum(num_words, 1)  # (bars,)
    return Plot(
        name="wer_by_length",
        title="WER by duration",
        note=f"Each bar holds about {len(hypotheses) // (len(edges) - 1):,} utterances of similar "
        "duration and shows their common WER.",
        draw=partial(_draw, edges=edges, rates=rates),
    )


def _draw(axes: Axes, ink: Ink, *, edges: np.ndarray, rates: np.ndarray) -> None:
    axes.bar(
        edges[:-1],
        rates,
        width=np.diff(edges),
        align="edge",
        facecolor=(ink.speech, 0.3),
        edgecolor=ink.speech,
        linewidth=1.5,
    )
    axes.grid(visible=False, axis="x")
    axes.set_xlabel("Duration (s)")
    axes.set_ylabel("WER (%)")
