"""Words against speakers: who is beaten by nobody in both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING

from duovox.run.report.canvas import Ink, Plot
from duovox.run.report.measures import MEASURES
from duovox.run.report.sweep.group import Grid, Spread
from duovox.task.evaluation import AS_NORM

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MEASURE_OF = {measure.key: measure for measure in MEASURES}


@dataclass(frozen=True, kw_only=True)
class Point:
    """WER and EER of a grid's best rate, each the mean over its test sets and seeds."""

    grid: Grid
    wer: Spread
    eer: Spread


def points_of(grids: Iterable[Grid]) -> list[Point]:
    """Return the grids that have learnt both."""
    found = ((grid, over_sets(grid, "wer"), over_sets(grid, "eer")) for grid in grids)
    return [Point(grid=grid, wer=wer, eer=eer) for grid, wer, eer in found if wer and eer]


def over_sets(grid: Grid, measure: str) -> Spread | None:
    """Return a measure of a grid's best rate, over the test sets that all runs with it have.

    AS-norm scores a set once more, and counts for none. Of one set the interval is kept; that of a
    mean over sets is not known.
    """
    found = [
        {
            name: result[measure]
            for name, result in run.results.items()
            if result.get(measure) is not None and not name.endswith(AS_NORM)
        }
        for run in grid.best.runs
    ]
    found = [values for values in found if values]
    sets = [name for name in found[0] if all(name in values for values in found)] if found else []
    if len(sets) == 1:
        return grid.best.spread(sets[0], MEASURE_OF[measure])
    values = tuple(fmean(values[name] for name in sets) for values in found if sets)
    return Spread(values=values, interval=None) if values else None


def front(points: Sequence[Point]) -> list[Point]:
    """Return the points than which none is better in one and no worse in the other, by WER."""
    best: list[Point] = []
    for point in sorted(points, key=_rates):
        if not best or _rates(point)[1] < _rates(best[-1])[1] or _rates(point) == _rates(best[-1]):
            best.append(point)
    return best


def _rates(point: Point) -> tuple[float, float]:
    """Return both means without what rounding left in them: (0.1 + 0.2) / 2 is 0.15."""
    return round(point.wer.mean, 9), round(point.eer.mean, 9)


def pareto_plot(grids: Sequence[Grid]) -> Plot | None:
    """Return the plot, unless fewer than two have learnt both."""
    points = points_of(grids)
    if len(points) < 2:
        return None
    return Plot(
        name="pareto",
        title="WER against EER",
        note="On the test sets, one point per row of the table, by its number. The line joins "
        "the points that no other beats in both. Bars: one standard deviation over seeds, "
        "of single runs the 95 % interval. Dotted: the best that learnt one task alone.",
        draw=partial(_draw, points=points, alone=_alone(grids)),
        height=4.0,
    )


def _alone(grids: Iterable[Grid]) -> dict[str, tuple[Grid, float]]:
    """Return the single-task grid that is best in validation, with its mean, by measure."""
    alone = {}
    for measure, other in (("wer", "eer"), ("eer", "wer")):
        single = [g for g in grids if over_sets(g, measure) and not over_sets(g, other)]
        judged = [grid for grid in single if grid.best.objective is not None]
        if judged:
            best = min(judged, key=lambda grid: grid.best.objective or 0.0)
            spread = over_sets(best, measure)
            alone[measure] = (best, 100 * spread.mean if spread else 0.0)
    return alone


def _draw(
    axes: Axes, ink: Ink, *, points: Sequence[Point], alone: dict[str, tuple[Grid, float]]
) -> None:
    best = front(points)
    axes.plot(
        [100 * point.wer.mean for point in best],
        [100 * point.eer.mean for point in best],
        color=ink.others[1],
        linewidth=1.4,
        label="Pareto front",
    )
    for point in points:
        _draw_point(axes, ink, point, colour=ink.others[1 if point in best else 0])
    for measure, line in (("wer", axes.axvline), ("eer", axes.axhline)):
        if measure in alone:
            grid, value = alone[measure]
            name = f"{grid.number}  {grid.name}"
            line(value, color=ink.of(measure), linestyle=":", linewidth=1.4, label=name)
    axes.set_xlabel("WER (%)")
    axes.set_ylabel("EER (%)")
    axes.legend(frameon=False, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.14))


def _draw_point(axes: Axes, ink: Ink, point: Point, *, colour: str) -> None:
    place = (100 * point.wer.mean, 100 * point.eer.mean)
    axes.errorbar(
        *place, xerr=_bar(point.wer), yerr=_bar(point.eer), fmt="o", color=colour,
        markersize=6, elinewidth=0.8, alpha=0.9,
    )  # fmt: skip
    number = str(point.grid.number)
    axes.annotate(number, place, (5, 4), textcoords="offset points", color=ink.text, fontsize=9)


def _bar(spread: Spread) -> list[list[float]] | None:
    """Return how far the error bar reaches below and above, (2, 1), in percent."""
    if spread.deviation is not None:
        return [[100 * spread.deviation]] * 2
    if spread.interval is None:
        return None
    low, high = spread.interval
    return [[100 * (spread.mean - low)], [100 * (high - spread.mean)]]
