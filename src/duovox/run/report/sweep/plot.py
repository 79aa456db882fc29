"""Error rates of the runs of a sweep, one beside the other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from duovox.run.report.canvas import Ink, Plot
from duovox.run.report.measures import Measure
from duovox.run.report.sweep.runs import SweepRun
from duovox.run.report.sweep.spread import columns, groups_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOTTED = ("wer", "eer", "accuracy")


def sweep_plots(runs: Sequence[SweepRun]) -> list[Plot]:
    """Return a plot for each set and its main measure."""
    scored = [run for run in runs if run.results]
    return [
        Plot(
            name=f"{measure.key}_{name}",
            title=f"{measure.name} on {name}",
            note="Each point is a run with its 95 % bootstrap interval over utterances or speakers;"
            " lines are the means of runs that differ in seeds alone, and shades one standard "
            "deviation to both sides.",
            draw=partial(_draw, runs=scored, set_name=name, measure=measure),
            height=3.4,
        )
        for name, measure in columns(scored)
        if measure.key in PLOTTED
    ]


def _draw(
    axes: Axes, ink: Ink, *, runs: Sequence[SweepRun], set_name: str, measure: Measure
) -> None:
    color, places = ink.of(measure.key), {run.folder: place for place, run in enumerate(runs)}
    for group in groups_of(runs):
        spread = group.spread(set_name, measure)
        if spread is None:
            continue
        at = [places[run.folder] for run in group.runs]
        ends, mean = (min(at) - 0.3, max(at) + 0.3), 100 * spread.mean
        axes.plot(ends, (mean, mean), color=color, linewidth=1.2)
        if spread.deviation is not None:
            width = 100 * spread.deviation
            axes.fill_between(ends, mean - width, mean + width, color=color, alpha=0.15, lw=0)
    for run, place in zip(runs, range(len(runs)), strict=True):
        result = run.results.get(set_name, {})
        if measure.key in result:
            axes.plot(place, 100 * result[measure.key], "o", color=color, markersize=5)
        if interval := result.get(f"{measure.key}_interval"):
            axes.vlines(place, 100 * interval[0], 100 * interval[1], color=color, linewidth=1)
    axes.grid(visible=False, axis="x")
    axes.set_xticks(range(len(runs)), [run.name for run in runs], parse_math=False)
    axes.tick_params(axis="x", rotation=30 if len(runs) > 4 else 0)
    axes.set_ylabel(f"{measure.name} (%)")
