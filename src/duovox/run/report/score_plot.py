"""The scores of a trial list: how far apart the two classes lie."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from duovox.metric.eer import equal_error_rate
from duovox.run.report.canvas import Ink, Plot
from duovox.run.report.scores import ScoredTrials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUM_BINS = 60


def score_plot(trials: ScoredTrials) -> Plot:
    """Return the histograms of target and non-target scores, with the threshold of the EER."""
    num_targets = int(trials.is_target.sum())
    return Plot(
        name=f"scores_{trials.name}",
        title=f"Scores: {trials.name}",
        note=f"{num_targets:,} target trials (same speaker) and {len(trials) - num_targets:,} "
        "non-target trials; each histogram sums to 100 %.",
        draw=partial(_draw, trials=trials),
    )


def _draw(axes: Axes, ink: Ink, *, trials: ScoredTrials) -> None:
    edges = np.histogram_bin_edges(trials.scores, bins=NUM_BINS)
    classes = ((False, ink.others[0], "non-target"), (True, ink.speaker, "target"))
    for is_target, colour, name in classes:
        scores = trials.scores[trials.is_target == is_target]
        shares = 100 * np.histogram(scores, bins=edges)[0] / max(1, len(scores))
        axes.stairs(shares, edges, fill=True, color=colour, alpha=0.3)
        axes.stairs(shares, edges, color=colour, linewidth=1.5, label=name)
    if trials.has_both_classes:
        threshold = equal_error_rate(trials.scores, trials.is_target).threshold
        label = f"EER threshold {threshold:.3f}"
        axes.axvline(threshold, color=ink.text, linestyle="--", linewidth=1.2, label=label)
    axes.set_xlabel("Score (cosine)" if trials.are_cosines else "Score (AS-norm)")
    axes.set_ylabel("Share of trials in bin (%)")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8.5)
