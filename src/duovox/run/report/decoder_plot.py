"""The word error rate over the weights of a decoder, as they were tried."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from duovox.run.report.canvas import Ink, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def decoder_plot(
    weights: Sequence[tuple[float, float]], rates: Sequence[float], *, best: tuple[float, float]
) -> Plot:
    """Return the surface of word error rates (fractions) over (lm_weight, word_score)."""
    return Plot(
        name="decoder_surface",
        title="Weights of the decoder",
        note="Word error rate of each pair of weights that was tried; the ring is the best.",
        draw=partial(_draw, points=np.array(weights), rates=100 * np.array(rates), best=best),
        height=3.8,
    )


def _draw(
    axes: Axes,
    ink: Ink,
    *,
    points: NDArray[np.float64],
    rates: NDArray[np.float64],
    best: tuple[float, float],
) -> None:
    lm_weight, word_score = points.T
    is_surface = len({*lm_weight}) > 1 and len({*word_score}) > 1
    if is_surface:
        axes.tricontourf(lm_weight, word_score, rates, levels=12, cmap="viridis_r", alpha=0.85)
    marks = axes.scatter(
        lm_weight, word_score, c=rates, cmap="viridis_r", edgecolors=ink.paper, linewidths=0.6
    )
    axes.scatter(*best, s=140, facecolors="none", edgecolors=ink.speaker, linewidths=2)
    axes.grid(visible=False)
    axes.set_xlabel("lm_weight")
    axes.set_ylabel("word_score")
    bar = axes.figure.colorbar(marks, ax=axes)
    bar.set_label("WER (%)", color=ink.text)
    bar.ax.tick_params(colors=ink.text, labelsize=9)
