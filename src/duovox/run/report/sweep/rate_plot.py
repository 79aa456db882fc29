"""Validation against the learning rate, a line for each grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from statistics import fmean
from typing import TYPE_CHECKING, TypeAlias

from duovox.run.report.canvas import Ink, Plot
from duovox.run.report.panel import DASHES
from duovox.run.report.sweep.group import Grid, Group

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_LEVEL = 6  # numbers below an axis that have room side by side
MOST_MARKED = 16  # that have room when they are tilted

Values: TypeAlias = Callable[[Group], list[float]]  # of a group's runs


def rate_plots(grids: Sequence[Grid]) -> list[Plot]:
    """Return WER, EER, and for runs that have both their sum, in validation against the rate."""
    several = [grid for grid in grids if grid.has_rates]
    plots = [
        _plot("rate_wer", "WER in validation", "WER (%)", several, _of("wer")),
        _plot("rate_eer", "EER in validation", "EER (%)", several, _of("eer")),
        _plot("rate_sum", "WER + EER in validation", "WER + EER (%)", several, _sums),
        _plot("rate_loss", "Loss in validation", "Loss", several, _losses),
    ]
    return [plot for plot in plots if plot is not None]


def _of(measure: str) -> Values:
    return lambda group: [100 * value for value in group.validation(measure)]


def _sums(group: Group) -> list[float]:
    words, speakers = _of("wer")(group), _of("eer")(group)
    return [a + b for a, b in zip(words, speakers, strict=False)]


def _losses(group: Group) -> list[float]:
    is_rate = group.validation("wer") or group.validation("eer")
    return [] if is_rate else [run.objective for run in group.runs if run.objective is not None]


def _plot(
    name: str, title: str, y_label: str, grids: Sequence[Grid], values: Values
) -> Plot | None:
    shown = [grid for grid in grids if any(values(group) for group in grid.groups)]
    if not shown:
        return None
    return Plot(
        name=name,
        title=title,
        note="Means over validation sets, and over seeds with a line from the lowest to the "
        "highest. The large point is the rate with the lowest sum of WER and EER, of those with "
        "the most seeds.",
        draw=partial(_draw, grids=shown, values=values, y_label=y_label),
        height=3.1 + 0.17 * len(shown),
    )


def _draw(axes: Axes, ink: Ink, *, grids: Sequence[Grid], values: Values, y_label: str) -> None:
    colours = (ink.speech, ink.speaker, *ink.others)
    for number, (grid, colour) in enumerate(zip(grids, cycle(colours), strict=False)):
        found = {g.lr: values(g) for g in grid.groups if g.lr is not None and values(g)}
        means = [fmean(each) for each in found.values()]
        dash, name = DASHES[number // len(colours) % len(DASHES)], f"{grid.number}  {grid.name}"
        axes.plot(
            [*found], means, marker="o", linestyle=dash, color=colour, markersize=3, label=name
        )
        for rate, each in found.items():
            axes.vlines(rate, min(each), max(each), color=colour, linewidth=1)
            if rate == grid.best.lr:
                axes.plot(rate, fmean(each), "o", color=colour, markersize=8)
    _scale_rates(axes, {group.lr for grid in grids for group in grid.groups if group.lr})
    axes.set_xlabel("Learning rate")
    axes.set_ylabel(y_label)
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), frameon=False, fontsize=8)


def _scale_rates(axes: Axes, rates: set[float]) -> None:
    """Make the axis of rates logarithmic, with the rates that were tried on it if they are few."""
    from matplotlib.ticker import NullLocator

    tried = sorted(rates)
    axes.set_xscale("log")
    if len(tried) > MOST_MARKED:
        return
    axes.set_xticks(tried, [f"{rate:.3g}" for rate in tried])
    axes.xaxis.set_minor_locator(NullLocator())
    if len(tried) > MOST_LEVEL:
        axes.tick_params(axis="x", rotation=45)
