"""Error rates one below the other: each setting's mean, its seeds, its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from duovox.run.report.canvas import Ink, Plot
from duovox.run.report.measures import Measure
from duovox.run.report.sweep.group import Grid, Spread, groups_of, headlines
from duovox.run.report.sweep.runs import SweepRun

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 40
MOST_LINES = 4  # of a row's name
LONGEST = 34  # characters of a row's name; a longer one takes a second line


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a plot."""

    name: str
    spread: Spread


def result_plots(runs: Sequence[SweepRun], grids: Sequence[Grid]) -> list[Plot]:
    """Return a plot for each test set and its main measure, a row for each line of the table.

    Where runs differ in nothing but seeds, each has a row.
    """
    plots = []
    of_many = (
        f" The {MOST_ROWS} rows that are best in validation." if len(grids) > MOST_ROWS else ""
    )
    for name, measure in headlines(runs):
        rows = _rows(runs, grids, name, measure)
        plots.append(
            Plot(
                name=f"{measure.key}_{name}",
                title=f"{measure.name} on {name}",
                note="Small points are runs, the large one their mean; the line is the 95 % "
                f"bootstrap interval over utterances or speakers.{of_many}",
                draw=partial(_draw, rows=rows, measure=measure),
                height=0.8
                + sum(0.15 + 0.13 * len(_in_lines(row.name).splitlines()) for row in rows),
            )
        )
    return plots


def _rows(
    runs: Sequence[SweepRun], grids: Sequence[Grid], set_name: str, measure: Measure
) -> list[Row]:
    if len(grids) == 1 and not grids[0].has_rates:
        named = [(run.name, group) for run in runs for group in groups_of([run])]
    else:
        named = [(f"{grid.number}  {grid.name}", grid.best) for grid in _best(grids)]
    return [
        Row(name=name, spread=spread)
        for name, group in named
        if (spread := group.spread(set_name, measure)) is not None
    ]


def _best(grids: Sequence[Grid]) -> list[Grid]:
    """Return what a plot has room for: those that are best in validation, in their order."""
    by_validation = sorted(
        grids, key=lambda grid: (grid.best.objective is None, grid.best.objective or 0.0)
    )
    return sorted(by_validation[:MOST_ROWS], key=lambda grid: grid.number)


def _draw(axes: Axes, ink: Ink, *, rows: Sequence[Row], measure: Measure) -> None:
    color = ink.of(measure.key)
    for place, row in enumerate(rows):
        if row.spread.interval is not None:
            low, high = row.spread.interval
            axes.hlines(place, 100 * low, 100 * high, color=color, linewidth=1.4)
        if len(row.spread.values) > 1:
            values = [100 * value for value in row.spread.values]
            axes.plot(values, [place] * len(values), "o", color=color, markersize=3, alpha=0.6)
        axes.plot(100 * row.spread.mean, place, "o", color=color, markersize=6)
    names = [_in_lines(row.name) for row in rows]
    axes.set_yticks(range(len(rows)), names, parse_math=False, fontsize=8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(f"{measure.name} (%)")


def _in_lines(name: str) -> str:
    """Break a long name behind the experiment and between settings, and end it where it is long."""
    if len(name) <= LONGEST:
        return name
    lines = name.replace(": ", ":\n", 1).replace(", ", ",\n").split("\n")
    return "\n".join(lines if len(lines) <= MOST_LINES else [*lines[:MOST_LINES], "…"])
