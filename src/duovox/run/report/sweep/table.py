"""The runs of a sweep as a table, for the terminal and for the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from duovox.run.report.sweep.runs import SweepRun, short
from duovox.run.report.sweep.spread import columns, groups_of

if TYPE_CHECKING:
    from rich.table import Table

Rows = list[list[str]]
MEAN = "mean \N{PLUS-MINUS SIGN} standard deviation (lowest to highest)"


def sweep_table(runs: Sequence[SweepRun]) -> Table:
    """Return the runs, one per row, and their means."""
    from rich.table import Table

    table = Table(title="Runs", caption=MEAN)
    for number, name in enumerate(header(runs)):
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for row in run_rows(runs):
        table.add_row(*row)
    table.add_section()
    for row in mean_rows(runs):
        table.add_row(*row, style="bold")
    return table


def header(runs: Sequence[SweepRun]) -> list[str]:
    """Return the titles of the columns."""
    units = {True: " %", False: ""}
    return ["Run", *(f"{name}\n{m.name}{units[m.is_percent]}" for name, m in columns(runs))]


def run_rows(runs: Sequence[SweepRun]) -> Rows:
    """Return the settings and the numbers of each run."""
    return [
        [
            (run.name or run.folder.name) + ("" if run.results else " (not scored yet)"),
            *(m.text(run.results.get(name, {}), unit="") or "" for name, m in columns(runs)),
        ]
        for run in runs
    ]


def mean_rows(runs: Sequence[SweepRun]) -> Rows:
    """Return the mean and the spread of each group of runs that differ in seeds alone."""
    rows = []
    for group in groups_of(runs):
        named = ", ".join(f"{short(place)}={value}" for place, value in group.settings.items())
        spreads = [group.spread(name, measure) for name, measure in columns(runs)]
        rows.append(
            [
                f"{len(group.runs)} runs" + (f": {named}" if named else ""),
                *(
                    spread.text(measure) if spread else ""
                    for spread, (_, measure) in zip(spreads, columns(runs), strict=True)
                ),
            ]
        )
    return rows
