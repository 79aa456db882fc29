"""Detection error trade-off: every threshold of a trial list in one curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from duovox.metric.det import probit, read_det_curve
from duovox.metric.eer import read_eer
from duovox.metric.error_curve import error_curve
from duovox.run.report.canvas import Ink, Plot
from duovox.run.report.curve import Array
from duovox.run.report.scores import ScoredTrials

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICKS = np.array([0.0001, 0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.98, 0.999])
DASHES = ("-", "--", ":", "-.")  # lists differ in dash as well as in colour
PRIORS = {0.01: "D", 0.05: "s"}  # p_target of a minDCF and the marker of its operating point
RESOLUTION = 200  # points per probit unit that a drawn curve keeps


@dataclass(frozen=True, kw_only=True)
class Tradeoff:
    """The error rates of one trial list at every threshold."""

    name: str
    false_alarms: Array  # (N,) share of non-targets accepted
    misses: Array  # (N,) share of targets rejected
    eer: float

    def operating_point(self, p_target: float) -> tuple[float, float]:
        """Return (false alarms, misses) where the detection cost is lowest."""
        best = (p_target * self.misses + (1 - p_target) * self.false_alarms).argmin()
        return float(self.false_alarms[best]), float(self.misses[best])


def det_plot(lists: Sequence[ScoredTrials]) -> Plot | None:
    """Return the DET curves of all trial lists in one plot, or None where none has both classes."""
    tradeoffs = [_tradeoff(trials) for trials in lists if trials.has_both_classes]
    if not tradeoffs:
        return None
    return Plot(
        name="det",
        title="Detection error trade-off",
        note="Each point of a curve is a threshold; lower left is better. On probit axes, normally "
        "distributed scores give a straight line. A point on the border is a rate of zero.",
        draw=partial(_draw, tradeoffs=tradeoffs),
        height=4.8,
    )


def _tradeoff(trials: ScoredTrials) -> Tradeoff:
    errors = error_curve(trials.scores, trials.is_target)
    curve = read_det_curve(errors)
    return Tradeoff(
        name=trials.name,
        false_alarms=curve.false_alarm_rates,
        misses=curve.miss_rates,
        eer=read_eer(errors).eer,
    )


def _draw(axes: Axes, ink: Ink, *, tradeoffs: Sequence[Tradeoff]) -> None:
    limits = _limits(tradeoffs)
    ends = probit(limits)
    axes.plot(ends, ends, color=ink.grid, linewidth=1.2)  # equal error rates
    colours = (ink.speaker, *ink.others)
    for i, tradeoff in enumerate(tradeoffs):
        _draw_curve(axes, tradeoff, limits, (colours[i % len(colours)], DASHES[i % len(DASHES)]))
    axes.plot([], [], "o", color=ink.text, label="EER")
    for p_target, marker in PRIORS.items():
        axes.plot([], [], marker, color=ink.text, fillstyle="none", label=f"minDCF({p_target})")
    ticks = TICKS[(limits[0] <= TICKS) & (limits[1] >= TICKS)]
    names = [f"{100 * tick:g}" for tick in ticks]
    axes.set_xticks(probit(ticks), names)
    axes.set_yticks(probit(ticks), names)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    axes.set_xlabel("Non-targets accepted (%)")
    axes.set_ylabel("Targets rejected (%)")
    axes.legend(frameon=False, fontsize=8.5, loc="upper right")


def _limits(tradeoffs: Sequence[Tradeoff]) -> Array:
    """Return the lowest and the highest rate shown: those of the operating points fit in."""
    finest = min(rates[rates > 0].min() for t in tradeoffs for rates in (t.false_alarms, t.misses))
    worst = max(max(t.operating_point(p)) for t in tradeoffs for p in PRIORS)
    high = TICKS[min(max(worst, 0.4), TICKS[-1]) <= TICKS][0]
    return np.array([np.clip(finest, TICKS[0], 0.01), high])


def _draw_curve(axes: Axes, tradeoff: Tradeoff, limits: Array, look: tuple[str, str]) -> None:
    colour, dash = look
    axes.plot(
        *_thinned(probit(tradeoff.false_alarms), probit(tradeoff.misses)),
        color=colour,
        linestyle=dash,
        linewidth=1.8,
        label=f"{tradeoff.name}: EER {100 * tradeoff.eer:.2f} %",
    )
    points = {p: (tradeoff.operating_point(p), marker, "none") for p, marker in PRIORS.items()}
    for (x, y), marker, fill in [((tradeoff.eer, tradeoff.eer), "o", "full"), *points.values()]:
        place = probit(np.clip([x, y], *limits))
        axes.plot(*place, marker, color=colour, fillstyle=fill, markersize=7, clip_on=False)


def _thinned(x: Array, y: Array) -> tuple[Array, Array]:
    pixels = np.round(RESOLUTION * np.stack([x, y]))  # (2, N)
    is_new = np.ones(len(x), dtype=bool)
    is_new[1:] = (np.diff(pixels) != 0).any(axis=0)
    return x[is_new], y[is_new]
