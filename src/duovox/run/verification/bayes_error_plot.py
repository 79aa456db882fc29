"""Actual and minimum detection costs of log-likelihood ratios at every prior."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from duovox.data.trial.score_list import ScoreList
from duovox.metric.bayes_error import BayesErrorCurve, bayes_error_curve
from duovox.run.report.canvas import Ink, Plot

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PRIORS = (0.01, 0.05)
_HIGHEST = 1.25  # of the cost axis: 1 is no better than not listening


def bayes_error_plot(systems: Mapping[str, ScoreList]) -> Plot:
    """Return one curve pair per system; each must have labels."""
    curves = {}
    for name, llrs in systems.items():
        assert llrs.is_target is not None
        curves[name] = bayes_error_curve(llrs.scores, llrs.is_target)
    return Plot(
        name="bayes_error",
        title="Detection cost at every prior",
        note="Where the solid line lies on the dashed one, calibration loses nothing.",
        draw=partial(_draw, curves=curves),
        height=4.0,
    )


def _draw(axes: Axes, ink: Ink, *, curves: Mapping[str, BayesErrorCurve]) -> None:
    colours = (ink.speaker, ink.speech, *ink.others)
    for number, (name, curve) in enumerate(curves.items()):
        colour = colours[number % len(colours)]
        axes.plot(curve.prior_log_odds, curve.actual, color=colour, label=f"{name}: actual")
        axes.plot(curve.prior_log_odds, curve.minimum, "--", color=colour, label=f"{name}: minimum")
    for prior in PRIORS:
        place = math.log(prior / (1 - prior))
        axes.axvline(place, color=ink.text, linestyle=":", linewidth=1)
        axes.annotate(f"p = {prior:g} ", (place, 0.01), color=ink.text, fontsize=8.5, ha="right")
    axes.axhline(1, color=ink.grid, linewidth=1.2)
    axes.set_ylim(0, _HIGHEST)
    axes.set_xlabel("Log-odds of a target before the trial is heard")
    axes.set_ylabel("Detection cost, normalised")
    axes.legend(frameon=False, fontsize=8.5)
