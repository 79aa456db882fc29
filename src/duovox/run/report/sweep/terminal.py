"""The tables of a sweep in the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from duovox.run.report.sweep.group import grids_of, groups_of
from duovox.run.report.sweep.runs import SweepRun
from duovox.run.report.sweep.table import TEXTS, TextTable, count_text, rates, results, unfinished

if TYPE_CHECKING:
    from rich.console import Console, JustifyMethod
    from rich.table import Table


def print_sweep(runs: Sequence[SweepRun], console: Console) -> None:
    """Print how far the runs are, the results, and the learning rates where there are several."""
    grids = grids_of(groups_of(runs))
    for table in (results(runs, grids), rates(grids), unfinished(runs)):
        if table.rows:
            console.print(terminal_table(table))
    console.print(count_text(runs))


def terminal_table(text_table: TextTable) -> Table:
    """Return a table for the terminal."""
    from rich.table import Table
    from rich.text import Text

    table = Table(title=text_table.title)
    for name in text_table.header:
        justify: JustifyMethod = "left" if name in TEXTS else "right"
        table.add_column(Text(name), justify=justify, overflow="fold")
    for row in text_table.rows:
        table.add_row(*map(Text, row))
    return table
